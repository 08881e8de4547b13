// Every transcript in the folder beside this file, in every mode it knows, with whole reads and with one-byte reads.
import Foundation
import Support
import Testing

/// A transcript file, as far as it could be read, and one way to run it.
struct TranscriptCase: Sendable, CustomTestStringConvertible {
  let path: String
  let content: Result<Transcript, TranscriptError>
  let mode: ScriptMode
  let chunking: ScriptChunking

  var testDescription: String {
    "\(URL(filePath: path).lastPathComponent), \(mode.rawValue), \(chunking == .whole ? "whole" : chunking.rawValue)"
  }

  /// What is wrong with the run; a transcript that can't be read or run is wrong too.
  func problems() -> [ScriptProblem] {
    do {
      return try TranscriptRun(transcript: try content.get(), mode: mode, chunking: chunking).problems()
    } catch {
      return [ScriptProblem(line: error.line, error.words)]
    }
  }

  static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Transcripts").path

  static let files: [String] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.hasSuffix(".smtp") || $0.hasSuffix(".qmtp") }.sorted()
  }()

  static let all: [TranscriptCase] = files.flatMap { name -> [TranscriptCase] in
    let path = "\(folder)/\(name)"
    let text = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
    let content = Result { () throws(TranscriptError) in try Transcript(name: name, text: text) }
    let modes = (try? content.get())?.modes ?? [.lockstep]
    return modes.flatMap { mode in
      ScriptChunking.allCases.map { TranscriptCase(path: path, content: content, mode: mode, chunking: $0) }
    }
  }
}

@Suite("Transcripts")
struct TranscriptTests {
  @Test("a delivery goes as the transcript has it", arguments: TranscriptCase.all)
  func delivery(_ transcript: TranscriptCase) {
    for problem in transcript.problems() {
      Issue.record(
        "\(transcript.path):\(problem.line): \(problem.words)",
        sourceLocation: SourceLocation(
          fileID: "TranscriptTests/\(URL(filePath: transcript.path).lastPathComponent)", filePath: transcript.path,
          line: max(problem.line, 1), column: 1))
    }
  }

  /// Without this, a moved folder would make every test above pass.
  @Test("the transcripts are there, and numbered") func filesAreThere() {
    #expect(TranscriptCase.files.count >= 60)
    let numbers = TranscriptCase.files.map { $0.prefix { $0 != "-" } }
    #expect(numbers.allSatisfy { $0.count == 3 && Int($0) != nil })
    #expect(Set(numbers).count == numbers.count, "two transcripts have one number")
  }
}

// A program run as qmail-rspawn would: descriptors, environment and operands exactly as a test says, and all it writes and how it
// ends collected. Knows nothing of mail.
import Foundation

/// What a program is started with.
public struct ProgramStart: Sendable {
  public enum Input: Sendable {
    case file(String)
    case fileAt(String, offset: Int)
    /// A pipe that these bytes are written to, as fast as the program reads.
    case pipe([UInt8])
    /// A pipe that is fed with pieces until there is none.
    case pieces(@Sendable () -> (@Sendable () -> [UInt8]?))
    case descriptor(Int32)
    case closed
  }

  public enum Output: Sendable {
    case collected
    /// Descriptor 2 is a copy of descriptor 1.
    case sameAsOutput
    case descriptor(Int32)
    case closed
  }

  public var program: String
  public var operands: [String]
  public var environment: [String: String] = [:]
  public var input: Input = .closed
  public var output: Output = .collected
  public var errors: Output = .collected

  public init(_ program: String, _ operands: [String] = []) {
    self.program = program
    self.operands = operands
  }
}

/// What came of it.
public struct FinishedProcess: Sendable {
  public let ending: ProcessEnding
  public let output: [UInt8]
  public let errors: [UInt8]

  public init(ending: ProcessEnding, output: [UInt8], errors: [UInt8]) {
    self.ending = ending
    self.output = output
    self.errors = errors
  }
}

/// What a test needs isn't there, or doesn't work.
public struct SpawnFault: Error, CustomStringConvertible {
  public let description: String

  public init(description: String) { self.description = description }
}

public final class SpawnedProcess: Sendable {
  public let pid: pid_t
  private let collectors: [Collector?]
  private let status = Promise<Int32>()

  public init(_ start: ProgramStart) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    var ours: [Int32] = []
    defer { for descriptor in ours { close(descriptor) } }

    let feed = try SpawnedProcess.prepareInput(start.input, &actions, &ours)
    let output = try SpawnedProcess.prepareOutput(start.output, 1, &actions, &ours)
    let errors = try SpawnedProcess.prepareOutput(start.errors, 2, &actions, &ours)
    let closing = GNUFunctions.closeFrom(3, in: &actions)
    guard closing == 0 else { throw SpawnFault(description: "closefrom: \(String(cString: strerror(closing)))") }

    pid = try SpawnedProcess.spawn(start, &actions)
    collectors = [output.map(Collector.init), errors.map(Collector.init)]
    if let feed { Feeder.feed(feed.descriptor, feed.next) }
    Thread.detachNewThread { [pid, status] in
      var code: Int32 = 0
      while waitpid(pid, &code, 0) < 0, errno == EINTR {}
      status.keep(code)
    }
  }

  /// Waits for the end of the process, and kills it if there is none in time.
  public func finish(within seconds: Double = 60) -> FinishedProcess {
    let inTime = status.wait(seconds: seconds)
    if inTime == nil { kill(pid, SIGKILL) }
    let code = status.wait(seconds: 10) ?? 0
    let written = collectors.map { $0?.end.wait(seconds: 10) ?? [] }
    return FinishedProcess(
      ending: inTime == nil ? .tookTooLong : SpawnedProcess.ending(code), output: written[0], errors: written[1])
  }

  /// Whether the process has ended.
  public var isOver: Bool { status.now != nil }

  public func send(signal: Int32) {
    // The number of a process that is over may be another's by now.
    if !isOver { kill(pid, signal) }
  }

  /// A set of signals of the process, as /proc shows it: `SigBlk` for the blocked ones, `ShdPnd` for those that wait.
  public func signals(_ set: String) -> UInt64 {
    let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
    let line = status?.split(separator: "\n").first { $0.hasPrefix("\(set):") }
    return line.flatMap { UInt64($0.drop { $0 != "\t" }.dropFirst(), radix: 16) } ?? 0
  }

  /// The largest address space that the process has had so far, in bytes: all that it has ever had allocated or mapped at once. nil when it
  /// is gone.
  ///
  /// Not the resident memory: how much of its own image is resident depends on what else the machine does, by more than a message's
  /// worth. From /proc while the process lives, not from wait4(2), which has no such figure.
  public var peakAddressSpace: Int? {
    guard let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8) else { return nil }
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmPeak:") }
    return line.flatMap { Int($0.filter(\.isNumber)) }.map { $0 * 1_024 }
  }

  /// How many bytes the process has read so far, from files and from anywhere else; nil when it is gone.
  public var bytesRead: Int? {
    let counts = try? String(contentsOfFile: "/proc/\(pid)/io", encoding: .utf8)
    let line = counts?.split(separator: "\n").first { $0.hasPrefix("rchar:") }
    return line.flatMap { Int($0.filter(\.isNumber)) }
  }

  /// What a descriptor of the process is, as /proc names it.
  public func target(ofDescriptor number: Int32) -> String? {
    try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\(number)")
  }

  private static func ending(_ code: Int32) -> ProcessEnding {
    code & 0x7f == 0 ? .exited(code >> 8 & 0xff) : .killed(signal: code & 0x7f)
  }
}

// MARK: descriptors

extension SpawnedProcess {
  private struct Feed {
    let descriptor: Int32
    let next: @Sendable () -> [UInt8]?
  }

  private static func prepareInput(
    _ input: ProgramStart.Input, _ actions: inout posix_spawn_file_actions_t, _ ours: inout [Int32]
  ) throws -> Feed? {
    switch input {
    case .closed:
      posix_spawn_file_actions_addclose(&actions, 0)
      return nil
    case .file(let path): return try prepareInput(.fileAt(path, offset: 0), &actions, &ours)
    case .fileAt(let path, let offset):
      let descriptor = open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw SpawnFault(description: "\(path): \(String(cString: strerror(errno)))") }
      ours.append(descriptor)
      lseek(descriptor, off_t(offset), SEEK_SET)
      posix_spawn_file_actions_adddup2(&actions, descriptor, 0)
      return nil
    case .pipe(let bytes):
      let rest = Shared<[UInt8]?>(bytes)
      return try feed(&actions, &ours) {
        rest.change { value in
          defer { value = nil }
          return value
        }
      }
    case .descriptor(let descriptor):
      posix_spawn_file_actions_adddup2(&actions, descriptor, 0)
      return nil
    case .pieces(let make): return try feed(&actions, &ours, make())
    }
  }

  private static func feed(
    _ actions: inout posix_spawn_file_actions_t, _ ours: inout [Int32], _ next: @escaping @Sendable () -> [UInt8]?
  ) throws -> Feed {
    let (reading, writing) = try pipe()
    ours.append(reading)
    posix_spawn_file_actions_adddup2(&actions, reading, 0)
    return Feed(descriptor: writing, next: next)
  }

  /// - Returns: where to read what the program writes, if that is to be collected.
  private static func prepareOutput(
    _ output: ProgramStart.Output, _ number: Int32, _ actions: inout posix_spawn_file_actions_t, _ ours: inout [Int32]
  ) throws -> Int32? {
    switch output {
    case .closed: posix_spawn_file_actions_addclose(&actions, number)
    case .sameAsOutput: posix_spawn_file_actions_adddup2(&actions, 1, number)
    case .descriptor(let descriptor): posix_spawn_file_actions_adddup2(&actions, descriptor, number)
    case .collected:
      let (reading, writing) = try pipe()
      ours.append(writing)
      posix_spawn_file_actions_adddup2(&actions, writing, number)
      return reading
    }
    return nil
  }

  /// A pipe that no other program inherits.
  public static func pipe() throws -> (reading: Int32, writing: Int32) {
    var ends: [Int32] = [0, 0]
    guard Foundation.pipe(&ends) == 0 else { throw SpawnFault(description: "pipe: \(String(cString: strerror(errno)))") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }

  private static func spawn(_ start: ProgramStart, _ actions: inout posix_spawn_file_actions_t) throws -> pid_t {
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // Whatever the test runner does with signals, the program starts with the system's defaults.
    var signals = sigset_t()
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

    let environment = start.environment.map { "\($0.key)=\($0.value)" }
    var operands = ([start.program] + start.operands).map { strdup($0) } + [nil]
    var variables = environment.map { strdup($0) } + [nil]
    defer { for text in operands + variables { free(text) } }
    var pid: pid_t = 0
    let status = posix_spawnp(&pid, start.program, &actions, &attributes, &operands, &variables)
    guard status == 0 else { throw SpawnFault(description: "\(start.program): \(String(cString: strerror(status)))") }
    return pid
  }
}

// MARK: the other ends of the pipes

/// Reads a pipe to its end.
private final class Collector: Sendable {
  let end = Promise<[UInt8]>()

  init(_ descriptor: Int32) {
    Thread.detachNewThread { [end] in
      var all: [UInt8] = []
      var block = [UInt8](repeating: 0, count: 65_536)
      while true {
        let count = read(descriptor, &block, block.count)
        if count > 0 { all += block[..<count] }
        if count == 0 || (count < 0 && errno != EINTR) { break }
      }
      close(descriptor)
      end.keep(all)
    }
  }
}

private enum Feeder {
  /// A program that doesn't read to the end must not end the tests.
  private static let ignoreSIGPIPE: Void = { _ = signal(SIGPIPE, SIG_IGN) }()

  static func feed(_ descriptor: Int32, _ next: @escaping @Sendable () -> [UInt8]?) {
    ignoreSIGPIPE
    Thread.detachNewThread {
      defer { close(descriptor) }
      while let piece = next() {
        var sent = 0
        while sent < piece.count {
          let count = piece.withUnsafeBytes { write(descriptor, $0.baseAddress?.advanced(by: sent), piece.count - sent) }
          if count < 0 && errno != EINTR { return }
          sent += max(count, 0)
        }
      }
    }
  }
}

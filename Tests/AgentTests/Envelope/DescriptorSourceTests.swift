import Foundation
import Support
import Testing

@testable import Agent

@Suite struct DescriptorSourceTests {
  /// Both ends of a pipe, closed with the test.
  private final class Pipe {
    let reader: Int32
    private var writer: Int32?

    init() {
      var ends: [Int32] = [0, 0]
      precondition(pipe(&ends) == 0)
      (reader, writer) = (ends[0], ends[1])
    }

    deinit {
      close(reader)
      end()
    }

    func write(_ text: String) {
      guard let writer else { return }
      #expect(Foundation.write(writer, text, text.utf8.count) == text.utf8.count)
    }

    func end() {
      if let writer { close(writer) }
      writer = nil
    }
  }

  private func source(_ pipe: Pipe, _ limit: Duration) -> DescriptorSource {
    let clock = TestClock()
    let deadline = Deadline(limit, after: clock.now())
    clock.advance(by: .seconds(7_200))
    return DescriptorSource(descriptor: pipe.reader, by: deadline, clock: clock)
  }

  @Test("a pipe that has been silent until the deadline can't be read")
  func silent() {
    let pipe = Pipe()
    #expect(source(pipe, .seconds(7_200)).read(limit: 10) == nil)
  }

  @Test("what is there is read, and so is the end", arguments: [7_200, 7_300])
  func there(_ seconds: Int) {
    let pipe = Pipe()
    pipe.write("hello")
    let source = source(pipe, .seconds(seconds))
    #expect(source.read(limit: 3) == bytes("hel"))
    #expect(source.read(limit: 3) == bytes("lo"))
    pipe.end()
    #expect(source.read(limit: 3) == [])
  }
}

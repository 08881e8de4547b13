// A pipe with no room: who writes to it waits until the test reads.
import Foundation
import Support

final class FullPipe: Sendable {
  let writing: Int32
  private let reading: Int32
  private let filled: Int

  /// - Parameter room: how many bytes still go in, in whole pages.
  init(room: Int = 0) throws {
    let ends = try SpawnedProcess.pipe()
    (reading, writing) = ends
    let flags = fcntl(writing, F_GETFL)
    _ = fcntl(writing, F_SETFL, flags | O_NONBLOCK)
    var count = 0
    let page = [UInt8](repeating: UInt8(ascii: "#"), count: 4_096)
    while true {
      let written = write(writing, page, page.count)
      guard written > 0 else { break }
      count += written
    }
    _ = fcntl(writing, F_SETFL, flags)
    var block = [UInt8](repeating: 0, count: max(room, 1))
    if room > 0 { count -= read(reading, &block, room) }
    filled = count
  }

  deinit {
    close(reading)
  }

  /// Lets go of the end for writing, which a program has by now.
  func handOver() { close(writing) }

  /// How many bytes are in the pipe, other than the filling.
  var waiting: Int {
    var count: Int32 = 0
    guard ioctl(reading, UInt(FIONREAD), &count) == 0 else { return 0 }
    return Int(count) - filled
  }

  /// Reads to the end, and leaves out what it was filled with.
  func drain() -> [UInt8] {
    var all: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(reading, &block, block.count)
      guard count > 0 else { break }
      all += block[..<count]
    }
    return Array(all.dropFirst(filled))
  }
}

// Who may have made an index, who makes it, and when.
import Foundation
import Support
import Testing

@testable import Agent

@Suite struct IndexUpkeepTests {
  // MARK: who may have made it

  @Test(
    "a folder that others can write to, or of somebody else, is neither read nor written",
    arguments: [
      "mode 707", "mode 770", "mode 1777", "owner", "link",
    ])
  func folders(_ fault: String) throws {
    let scene = try IndexScene()
    try scene.deliver()
    #expect(try scene.isIndexUsed().allSatisfy(\.self))
    switch fault {
    case "owner": #expect(chown(scene.run, 12_345, 0) == 0)
    case "link":
      #expect(rename(scene.run, "\(scene.run).real") == 0)
      #expect(symlink("\(scene.run).real", scene.run) == 0)
    default: #expect(chmod(scene.run, mode_t(fault.dropFirst(5), radix: 8) ?? 0) == 0)
    }
    #expect(try scene.isIndexUsed().allSatisfy { !$0 })
    #expect(try scene.answers() == scene.expected())
    let kept = try scene.kept()
    unlink(try scene.index())
    try scene.deliver()
    #expect(try scene.kept() == kept.filter { !$0.hasSuffix(".cdb") })
  }

  @Test(
    "an index that others may have written is not read, but replaced",
    arguments: ["mode 602", "mode 620", "owner", "link", "folder"])
  func files(_ fault: String) throws {
    let scene = try IndexScene()
    try scene.deliver()
    let index = try scene.index()
    switch fault {
    case "owner": #expect(chown(index, 12_345, 0) == 0)
    case "link":
      #expect(rename(index, "\(scene.folder.path)/elsewhere") == 0)
      #expect(symlink("\(scene.folder.path)/elsewhere", index) == 0)
    case "folder":
      unlink(index)
      #expect(mkdir(index, 0o700) == 0)
    default: #expect(chmod(index, mode_t(fault.dropFirst(5), radix: 8) ?? 0) == 0)
    }
    #expect(try scene.isIndexUsed().allSatisfy { !$0 })
    #expect(try scene.answers() == scene.expected())
    try scene.deliver()
    // A folder can't be replaced by a file, and nobody tries for ever.
    #expect(try scene.isIndexUsed().allSatisfy { $0 == (fault != "folder") })
    #expect(try scene.kept().allSatisfy { !$0.hasSuffix(".new") })
  }

  @Test("nobody else can read what is kept, and links lead nowhere")
  func privacy() throws {
    let scene = try IndexScene()
    chmod("\(scene.folder.path)/control/smtproutes", 0o644)
    try scene.deliver()
    #expect(try scene.kept().count == 2)
    for name in try scene.kept() {
      var status = stat()
      #expect(lstat("\(scene.run)/\(name)", &status) == 0)
      #expect(status.st_mode & 0o7777 == 0o600, "\(name)")
    }
    let index = try scene.index()
    unlink(index)
    let victim = try scene.folder.write("victim", "precious")
    for name in [".new", ".lock"] {
      unlink("\(index)\(name)")
      #expect(symlink(victim, "\(index)\(name)") == 0)
    }
    try scene.deliver()
    #expect(try scene.folder.read("victim") == bytes("precious"))
    // Without a lock nothing is made.
    #expect(try !scene.kept().contains { $0.hasSuffix(".cdb") })
    unlink("\(index).lock")
    try scene.deliver()
    #expect(try scene.isIndexUsed().allSatisfy(\.self))
    #expect(try scene.folder.read("victim") == bytes("precious"))
  }

  @Test("it holds no routes: passwords stay where they are")
  func secrets() throws {
    let scene = try IndexScene()
    let content = (0..<3_000).map { "h\($0).example:relay|user|hunter2-\($0)\n" }.joined()
    try scene.folder.write("control/smtproutes", content)
    try scene.deliver()
    let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: scene.index())), as: UTF8.self)
    #expect(text.contains("h2999.example") && !text.contains("hunter2") && !text.contains("relay"))
  }

  // MARK: who makes it, and when

  @Test("a table that was changed just now may change again, and waits")
  func settling() throws {
    let scene = try IndexScene()
    try scene.deliver(at: scene.later() - 1)
    #expect(try scene.kept().isEmpty)
    try scene.deliver()
    #expect(try scene.kept().count == 2)
  }

  @Test("small tables have none, and where there is no folder, or no leave to write, nothing is made")
  func nothing() throws {
    let small = try IndexScene()
    try small.folder.write("control/smtproutes", String(repeating: "x:y\n", count: 16_383))
    try small.deliver()
    #expect(try small.kept().isEmpty)
    try small.folder.write("control/smtproutes", String(repeating: "x:y\n", count: 16_384))
    try small.deliver()
    #expect(try small.kept().count == 2)

    let without = try IndexScene()
    #expect(rmdir(without.run) == 0)
    try without.deliver()
    #expect(!FileManager.default.fileExists(atPath: without.run))
    #expect(try without.answers() == without.expected())
  }

  @Test("who doesn't get the lock leaves it to the other")
  func lock() throws {
    let scene = try IndexScene()
    try scene.deliver()
    let index = try scene.index()
    unlink(index)
    let holder = open("\(index).lock", O_RDWR)
    #expect(csysTryLock(holder))
    try scene.deliver()
    #expect(try !scene.kept().contains { $0.hasSuffix(".cdb") })
    close(holder)
    try scene.deliver()
    #expect(try scene.isIndexUsed().allSatisfy(\.self))
  }

  /// Any other way to have a lock as a process of another program would.
  private func csysTryLock(_ descriptor: Int32) -> Bool {
    var whole = flock(l_type: Int16(F_WRLCK), l_whence: Int16(SEEK_SET), l_start: 0, l_len: 0, l_pid: 0)
    return fcntl(descriptor, 37 /* F_OFD_SETLK */, &whole) == 0
  }

  @Test("who comes second finds it made")
  func second() throws {
    let scene = try IndexScene()
    let control = scene.control()
    _ = try scene.answers(control)
    try scene.deliver()
    let made = try #require(inode(try scene.index()))
    control.updateIndexes(now: try scene.later())
    #expect(inode(try scene.index()) == made)
  }

  private func inode(_ path: String) -> UInt64? {
    (try? FileManager.default.attributesOfItem(atPath: path))?[.systemFileNumber] as? UInt64
  }

  @Test("sixteen at once make one, and find the same at all times")
  func concurrency() throws {
    let scene = try IndexScene(seed: 9)
    let expected = scene.expected()
    let found = inParallel(Array(0..<16), width: 16) { number -> Bool in
      (try? scene.deliver()) != nil && (try? scene.answers()) == expected
    }
    #expect(found == Array(repeating: true, count: 16))
    #expect(try scene.kept().count == 2)
    #expect(try scene.isIndexUsed().allSatisfy(\.self))
  }

  /// 512 keys: nine times one of two pairs of letters that lead from one hash to the same other.
  private static func keysOfOneHash() -> [[UInt8]] {
    let letters = Array(UInt8(ascii: "a")...UInt8(ascii: "z")) + Array(UInt8(ascii: "0")...UInt8(ascii: "9"))
    var keys: [[UInt8]] = [[]]
    for _ in 0..<9 {
      var seen: [UInt32: [UInt8]] = [:]
      search: for first in letters {
        for second in letters {
          let hash = ([10] + keys[0] + [first, second]).tableHash
          guard let other = seen.updateValue([first, second], forKey: hash) else { continue }
          keys = keys.flatMap { [$0 + other, $0 + [first, second]] }
          break search
        }
      }
    }
    return keys
  }

  @Test("a version that couldn't be indexed is left alone for an hour")
  func failures() throws {
    let scene = try IndexScene()
    let keys = IndexUpkeepTests.keysOfOneHash()
    #expect(Set(keys.map { ([10] + $0).tableHash }).count == 1)
    let content = keys.map { $0 + bytes(":relay" + String(repeating: ".", count: 200) + "\n") }.joined()
    try scene.folder.write("control/smtproutes", Array(content))
    let style = RouteKeys.bareDomains
    func deliver(_ now: Int64) throws -> Bool {
      let control = scene.control()
      #expect(try control.table("smtproutes", keys: style)?.entry(for: keys[7]) != nil)
      control.updateIndexes(now: now)
      return try scene.kept().contains { $0.hasSuffix(".cdb") }
    }
    #expect(try !deliver(scene.later()))
    let lock = try #require(try scene.kept().first)
    #expect(lock.hasSuffix(".lock"))
    #expect(try scene.folder.read("run/\(lock)").count == FileIdentity.size)

    // Now it could be made, as another version.
    let mark = try scene.folder.read("run/\(lock)")
    try scene.folder.write("control/smtproutes", scene.table.content)
    #expect(try scene.folder.read("run/\(lock)") == mark)
    try scene.deliver()
    #expect(try scene.isIndexUsed().allSatisfy(\.self))
    #expect(try scene.folder.read("run/\(lock)").isEmpty)

    // And one that was given up, when the hour is over.
    unlink(try scene.index())
    var status = stat()
    #expect(stat("\(scene.folder.path)/control/smtproutes", &status) == 0)
    try scene.folder.write("run/\(lock)", FileIdentity(status).bytes)
    chmod("\(scene.run)/\(lock)", 0o600)
    try scene.deliver()
    #expect(try scene.kept() == [lock])
    try scene.deliver(at: scene.later() + 3_700)
    #expect(try scene.isIndexUsed().allSatisfy(\.self))
  }
}

// contrib/install.sh in a folder of programs: what it puts there works, and what was there comes back.
import Foundation
import Support
import Testing

@Suite struct InstallTests {
  private static let programs = ["batv", "cdb-database", "qmail-remote", "qmail-remote-explain"]

  /// A folder of a mail system whose own program is a script.
  private static func mailSystem() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.install("bin/qmail-remote", "#!/bin/sh\necho theirs\n")
    #expect(chmod("\(folder.path)/bin/qmail-remote", 0o711) == 0)
    return folder
  }

  private static func run(_ operands: [String]) throws -> FinishedProcess {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../contrib/install.sh").standardized.path
    var start = ProgramStart("/bin/bash", [script] + operands)
    start.environment = ["PATH": "/usr/bin:/bin"]
    return try SpawnedProcess(start).finish()
  }

  private static func install(_ folder: TemporaryFolder, _ options: [String] = []) throws {
    let built = URL(fileURLWithPath: try Binary.path("qmail-remote-explain")).deletingLastPathComponent().path
    let finished = try run(["--from", built] + options + ["\(folder.path)/bin"])
    #expect(finished.ending == .exited(0), "\(visible(finished.errors))")
  }

  private static func names(_ folder: TemporaryFolder) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/bin").sorted()
  }

  private static func mode(_ folder: TemporaryFolder, _ name: String) -> mode_t {
    var status = stat()
    return stat("\(folder.path)/bin/\(name)", &status) == 0 ? status.st_mode & 0o7777 : 0
  }

  private static func output(_ folder: TemporaryFolder, _ name: String) throws -> String {
    visible(try SpawnedProcess(ProgramStart("\(folder.path)/bin/\(name)", [])).finish().output)
  }

  @Test func `the program takes the place of another, and gives it back`() throws {
    let folder = try Self.mailSystem()
    // The second time it is an upgrade: what was kept is still theirs.
    for _ in 0..<2 {
      try Self.install(folder, ["--man", "\(folder.path)/man"])
      #expect(try Self.output(folder, "qmail-remote") == "DI (qmail-remote) was invoked improperly. (#5.3.5)\\n^@")
      #expect(Self.mode(folder, "qmail-remote") == 0o711)
      #expect(Self.mode(folder, "batv") == 0o755)
      #expect(try Self.output(folder, "qmail-remote.before") == "theirs\\n")
      #expect(
        try Self.names(folder) == (Self.programs + ["qmail-remote.before", "qmail-remote.installed"]).sorted())
    }
    #expect(FileManager.default.fileExists(atPath: "\(folder.path)/man/man8/qmail-remote.8"))
    #expect(FileManager.default.fileExists(atPath: "\(folder.path)/man/man7/qmail-remote-hooks.7"))

    #expect(try Self.run(["--undo", "\(folder.path)/bin"]).ending == .exited(0))
    #expect(try Self.names(folder) == ["qmail-remote"])
    #expect(try Self.output(folder, "qmail-remote") == "theirs\\n")
    #expect(Self.mode(folder, "qmail-remote") == 0o711)
  }

  @Test func `a newer program of the mail system is what comes back`() throws {
    let folder = try Self.mailSystem()
    try Self.install(folder)
    try folder.install("bin/qmail-remote", "#!/bin/sh\necho newer\n")
    try Self.install(folder, ["--chains"])
    #expect(try Self.names(folder).contains("spawn-filter"))
    #expect(try Self.run(["--undo", "\(folder.path)/bin"]).ending == .exited(0))
    #expect(try Self.names(folder) == ["qmail-remote"])
    #expect(try Self.output(folder, "qmail-remote") == "newer\\n")
  }

  @Test func `a program that doesn't run is not installed`() throws {
    let folder = try Self.mailSystem()
    for name in Self.programs { try folder.install("built/\(name)", "#!/bin/sh\nexit 0\n") }
    let finished = try Self.run(["--from", "\(folder.path)/built", "\(folder.path)/bin"])
    #expect(finished.ending == .exited(1))
    #expect(visible(finished.errors).contains("qmail-remote does not run here"))
    #expect(try Self.names(folder) == ["qmail-remote"])
    #expect(try Self.output(folder, "qmail-remote") == "theirs\\n")
  }

  @Test func `nothing to undo`() throws {
    let folder = try Self.mailSystem()
    let finished = try Self.run(["--undo", "\(folder.path)/bin"])
    #expect(finished.ending == .exited(1))
    #expect(visible(finished.errors).contains("nothing was installed here"))
    #expect(try Self.output(folder, "qmail-remote") == "theirs\\n")
  }
}

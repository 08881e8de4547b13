// batv(1), as its manual page has it.
import Agent
import Support
import Testing

@testable import Hooks

@Suite struct BATVCommandTests {
  private static let usage = "usage: batv [-k key] [-f format] [-t days] -s | -v address\n"

  private func run(_ arguments: [String], day: Int = 18_891, environment: [String: String] = [:]) -> String {
    let ending = BATVCommand.run(arguments.map(bytes), Environment(environment), day: day)
    return "\(String(decoding: ending.output + ending.errors, as: UTF8.self))\(ending.status)"
  }

  private static func bad(_ address: String, _ words: String, _ status: Int) -> String {
    "batv: could not verify \(address): \(words)\n\(status)"
  }

  @Test(
    arguments: [
      (["-k", "1632203830", "-t", "1", "-s", "test@example.com"], "prvs=0891a9abd5=test@example.com\n0"),
      (["-sk1632203830", "test@example.com"], "prvs=0891a9abd5=test@example.com\n0"),
      (["-k", "1632203830", "-v", "prvs=0891a9abd5=test@example.com"], "test@example.com\n0"),
      (["-v", "-k", "1632203830", "--", "prvs=0891a9abd5=test@example.com"], "test@example.com\n0"),
      (
        ["-k", "1632203831", "-v", "prvs=0891a9abd5=test@example.com"],
        bad("prvs=0891a9abd5=test@example.com", "bad BATV address encoding", 2)
      ),
      (
        ["-k", "1632203830", "-v", "prvs=0881a9abd5=test@example.com"],
        bad("prvs=0881a9abd5=test@example.com", "expired BATV address [10 days]", 3)
      ),
      (["-k", "1632203830", "-v", "test@example.com"], bad("test@example.com", "missing BATV address", 1)),
      (["-k", "1632203830", "-f", "draft", "-s", "test@example.com"], "prvs=089845144e=test@example.com\n0"),
      (["-k", "1632203830", "-f", "draft", "-t", "0", "-s", "test@example.com"], "prvs=08914f4d4b=test@example.com\n0"),
      (["-k", "1632203830", "-f", "draft", "-v", "prvs=089845144e=test@example.com"], "test@example.com\n0"),
      ([], usage + "100"), (["-s", "a@b"], usage + "100"), (["-k", "k", "a@b"], usage + "100"),
      (["-k", "k", "-s", "-v", "a@b"], usage + "100"), (["-k", "k", "-s"], usage + "100"), (["-k"], usage + "100"),
      (["-k", "", "-s", "a@b"], usage + "100"), (["-k", "k", "-s", "a@b", "c@d"], usage + "100"),
      (["-k", "k", "-x", "-s", "a@b"], usage + "100"), (["-k", "k", "-t", "x", "-s", "a@b"], usage + "100"),
      (["-k", "k", "-t", "1000", "-s", "a@b"], usage + "100"), (["-k", "k", "-f", "sha1", "-s", "a@b"], usage + "100"),
    ])
  func `command lines`(_ arguments: [String], _ expected: String) {
    #expect(run(arguments, environment: ["CONTROLDIR": "/nowhere"]) == expected)
  }

  @Test func `the lifetime`() {
    let check = ["-k", "1632203830", "-v", "prvs=0891a9abd5=test@example.com"]
    #expect(run(check, day: 18_898) == "test@example.com\n0")
    #expect(run(check, day: 18_899).hasSuffix("expired BATV address [8 days]\n3"))
    #expect(run(["-t", "8"] + check, day: 18_899) == "test@example.com\n0")
    #expect(run(["-t", "0"] + check, day: 18_891) == "test@example.com\n0")
    #expect(run(["-t", "0"] + check, day: 18_892).hasSuffix("expired BATV address [1 days]\n3"))
  }

  @Test func `the site's own key and format`() throws {
    let folder = try TemporaryFolder()
    try folder.write("batvkey", "1632203830\n")
    let environment = ["CONTROLDIR": folder.path]
    #expect(run(["-s", "test@example.com"], environment: environment) == "prvs=0891a9abd5=test@example.com\n0")
    try folder.write("batvformat", "draft\n")
    #expect(run(["-s", "test@example.com"], environment: environment) == "prvs=089845144e=test@example.com\n0")
    #expect(run(["-f", "md5", "-s", "test@example.com"], environment: environment) == "prvs=0891a9abd5=test@example.com\n0")
    #expect(
      run(["-s", "test@example.com"], environment: environment.merging(["SIGNKEY": "k"]) { $1 })
        != run(["-s", "test@example.com"], environment: environment))
    try folder.write("batvformat", "x\n")
    #expect(
      run(["-s", "test@example.com"], environment: environment)
        == "batv: fatal: Unable to use control/batvformat:1: x is no format of tags. (#4.3.5)\n111")
  }

  /// A file in a folder below the control directory, and one that is named from the working directory.
  @Test(arguments: ["keys/first", "./", "/"]) func `where a key may lie`(_ name: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("keys/first", "1632203830\n")
    let up = String(repeating: "../", count: 40).dropLast()
    let name = name == "/" ? path : name == "./" ? "./\(up)\(path)" : name
    let environment = ["CONTROLDIR": folder.path, "BATVKEY": name]
    #expect(run(["-s", "test@example.com"], environment: environment) == "prvs=0891a9abd5=test@example.com\n0")
  }
}

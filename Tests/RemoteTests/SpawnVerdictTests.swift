// The tests' own reader of reports, against vectors that were verified with the real qmail-rspawn.
import Support
import Testing

@Suite struct SpawnVerdictTests {
  /// `.` stands for the null byte.
  @Test(arguments: [
    ("r.Kok.", "Kok"),
    ("hno.DGiving.", "DnoGiving"),
    ("sno.DGiving.", "ZnoGiving"),
    ("hno.Kok.", "Dno"),
    ("sno.Kok.", "Zno"),
    ("Knoauth.r.Dfail.", "Knoauth"),
    ("r.hno.Kok.", "K"),
    ("Kx", "D"),
    ("r.", "D"),
  ])
  func `verified vectors`(_ output: String, _ verdict: String) {
    #expect(SpawnVerdict(output: bytes(output), ending: .exited(0)) == SpawnVerdict(verdict))
  }

  /// First report by message report, as the table of the protocol has it.
  @Test(arguments: [
    ("rR.KM.", "KRM"), ("rR.ZM.", "ZRM"), ("rR.DM.", "DRM"), ("rR.", "DR"),
    ("hH.KM.", "DH"), ("hH.ZM.", "DH"), ("hH.DM.", "DHM"), ("hH.", "DH"),
    ("sS.KM.", "ZS"), ("sS.ZM.", "ZSM"), ("sS.DM.", "ZSM"), ("sS.", "ZS"),
    ("KM.", "KM"), ("ZM.", "ZM"), ("DM.", "DM"),
    ("\u{1}M.", "DM"), ("r.\u{1}M.", "D"),
    ("s", "Z"), ("h", "D"), (".", "D"),
  ])
  func `truth table`(_ output: String, _ verdict: String) {
    #expect(SpawnVerdict(output: bytes(output), ending: .exited(0)) == SpawnVerdict(verdict))
  }

  @Test(arguments: [
    (ProcessEnding.exited(111), "r.Kok.", "ZUnable to run qmail-remote.\n"),
    (.exited(1), "r.Kok.", "DUnable to run qmail-remote.\n"),
    (.exited(100), "r.Kok.", "DUnable to run qmail-remote.\n"),
    (.killed(signal: 11), "r.Kok.", "Zqmail-remote crashed.\n"),
    (.exited(0), "", "Zqmail-remote produced no output.\n"),
  ])
  func `exit status before output`(_ ending: ProcessEnding, _ output: String, _ verdict: String) {
    #expect(SpawnVerdict(output: bytes(output), ending: ending) == SpawnVerdict(verdict))
  }

  @Test func `the strict reader takes reports apart`() throws {
    let reports = try StrictReports(bytes("r.hno\n.Kok\n."))
    #expect(reports.recipients == ["r", "hno\n"])
    #expect(reports.message == "Kok\n")
  }

  @Test(arguments: ["", "r.", "r.Kok\n", "Kok\n.r.", "r.x.Kok\n.", "r..Kok\n.", "Kok\n.Kok\n.", "r.Kok."])
  func `the strict reader refuses`(_ output: String) {
    #expect(throws: StrictReports.Fault.self) { try StrictReports(bytes(output)) }
  }

  private func bytes(_ text: String) -> [UInt8] { text.utf8.map { $0 == UInt8(ascii: ".") ? 0 : $0 } }
}

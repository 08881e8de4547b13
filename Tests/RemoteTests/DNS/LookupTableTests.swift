// The table of look-ups, twice: against a resolver that exists in memory only, and against nsd behind a validating unbound.
import Support
import Testing

@Suite struct LookupTableTests {
  private static let fake = Result { try LookupTable.zoneTable() }

  @Test(arguments: LookupTable.cases)
  func `on a fake resolver`(_ row: LookupCase) throws {
    let table = try LookupTableTests.fake.get()
    try row.check(Explain.plan(row, resolver: FakeResolver { table.answer(to: $0) }))
  }

  @Test(arguments: LookupTable.cases)
  func `on real name servers`(_ row: LookupCase) throws {
    let laboratory = try DNSLaboratory.shared.get()
    try row.check(laboratory.network.run { try Explain.run(row, resolver: laboratory.resolver) })
  }
}

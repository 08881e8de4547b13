// spawn-filter(8): settings and a filter for mail on its way to qmail-remote.
import Agent
import CSystem
import Hooks

let filter = SpawnFilter(Arguments.all(), Environment.ofProcess())
// A site without the folder has no filters that depend on it.
_ = unsafe chdir(filter.home.text)
switch filter.step() {
case .become(let program):
  let failure = DeliveryFailure.unableToRun(program.program, program.become())
  Ending(output: failure.report.wire, status: 0).write()
  exit(0)
case .end(let ending):
  ending.write()
  exit(ending.status)
}

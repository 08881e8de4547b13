// ctrlenv(8): runs a program with the variables that a control file has for an address.
import Agent
import Auth
import CSystem
import Hooks

let chain = ControlEnvironment { control, name, address throws(DeliveryFailure) in
  try control.database(name).flatMap { database throws(DeliveryFailure) in
    try RemoteAuthLookup(database: database).data(for: address)
  }
}
switch chain.step(Arguments.ofProcess(), Environment.ofProcess()) {
case .become(let program):
  let reason = program.become()
  Ending(errors: Array("ctrlenv: fatal: unable to run \(program.program.text): \(reason)\n".utf8), status: 111).write()
  exit(111)
case .end(let ending):
  ending.write()
  exit(ending.status)
}

// The program `record` as a place for records.
internal import Agent

/// Gives the record to the program. What it answers, and how it ends, changes nothing.
struct ExecRecord: RecordSink {
  let runner: HookRunner
  let program: HookProgram

  var name: String { program.point.place }

  func take(_ record: Bytes, _ environment: Environment) {
    do throws(DeliveryFailure) {
      guard try runner.isThere(program) else { return }
    } catch {
      // The reports are out: there is nobody left to tell.
      return
    }
    _ = runner.run(program, environment, .bytes(record), .discarded)
  }
}

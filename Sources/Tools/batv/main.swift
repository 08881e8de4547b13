// batv(1): makes and checks the tags of bounce address tag validation.
import Agent
import CSystem
import Hooks

let day = Int(Circumstances.ofProcess().wallSeconds) / 86_400
let ending = BATVCommand.run(Arguments.ofProcess(), Environment.ofProcess(), day: day)
ending.write()
exit(ending.status)

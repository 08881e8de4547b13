// qmail-remote-explain(8): the plan of a delivery, in words. Takes the operands and reads the control files of qmail-remote.
import Agent
import Site

print(Program.explain(operands: Arguments.ofProcess(), environment: Environment.ofProcess(), hooks: Site.hooks), terminator: "")

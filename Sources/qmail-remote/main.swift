// qmail-remote(8): hands one message to a remote host.
import Agent
import CSystem
import Site

StandardDescriptors.settle()
exit(Program.deliver(operands: Arguments.ofProcess(), environment: Environment.ofProcess(), hooks: Site.hooks))

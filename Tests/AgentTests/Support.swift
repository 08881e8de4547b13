// Short forms for tables.
@testable import Agent

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func address(_ text: String) -> IPAddress {
  guard let address = IPAddress(bytes(text)) else { preconditionFailure("\(text) is no address") }
  return address
}

func reply(_ text: String) -> Reply {
  var parser = ReplyParser()
  for line in text.split(separator: "\n") {
    if let reply = try? parser.take(bytes(String(line))[...]) { return reply }
  }
  preconditionFailure("\(text) is no reply")
}

func memoryControl(_ files: [String: String]) -> ControlDirectory { ControlDirectory(files: files.mapValues(bytes)) }

// ctrlenv(8): gives a program the variables that a control file has for an address. Knows how such a file is written as text; whoever
// calls it knows how it is written as a database.
package import Agent

/// What ctrlenv comes to.
package enum ChainStep {
  case become(Replacement)
  case end(Ending)
}

package struct ControlEnvironment {
  /// Looks an address up in the constant database of that name.
  package typealias Lookup = (_ control: ControlDirectory, _ name: String, _ address: Bytes) throws(DeliveryFailure) -> Bytes?

  private let lookup: Lookup

  package init(lookup: @escaping Lookup) { self.lookup = lookup }

  private static let usage = Ending(
    errors: Bytes("usage: ctrlenv [-c] -f filename [-e env] -a address child\n"), status: Ending.usageStatus)

  /// - Parameter arguments: without argv[0].
  package func step(_ arguments: [Bytes], _ environment: Environment) -> ChainStep {
    guard let options = Options(arguments, letters: "cf:e:a:"), let name = options.value("f"), !name.isEmpty,
      let address = options.value("a"), let program = options.operands.first, !program.isEmpty
    else { return .end(ControlEnvironment.usage) }
    do throws(DeliveryFailure) {
      var edited = options.has("c") ? Environment([]) : environment
      if let value = try value(for: address, in: name.text, environment) {
        edited.apply(try edits(value, variable: options.value("e")))
      }
      // Where to look for the program is no matter of the address.
      return .become(
        Replacement(
          program: program, arguments: options.operands, environment: edited,
          searchPath: environment.value("PATH") ?? Bytes("/bin:/usr/bin")))
    } catch {
      return .end(Ending(errors: Bytes("ctrlenv: fatal: ") + error.report.text, status: Ending.troubleStatus))
    }
  }

  /// What a file has for an address, and where.
  private struct Value {
    let bytes: Bytes
    let place: String
  }

  private func value(for address: Bytes, in name: String, _ environment: Environment) throws(DeliveryFailure) -> Value? {
    let control = ControlDirectory(path: DialectChoice.path(environment, .indimail))
    if name.hasSuffix(".sql") { throw .unusable(name, "values in an SQL database are not supported") }
    if name.hasSuffix(".cdb") {
      return try lookup(control, name, address).map { Value(bytes: $0, place: "\(name), key \(address.printable.text)") }
    }
    guard let file = try control.file(name) else { return nil }
    return try ControlEnvironment.value(for: address, in: file)
  }

  /// The first line that matches: `=address:value:`, or `+beginning:value:` for all addresses that begin so. Case doesn't count.
  private static func value(for address: Bytes, in file: ControlFile) throws(DeliveryFailure) -> Value? {
    for (number, line) in file.lines {
      guard let kind = line.first, kind == UInt8(ascii: "=") || kind == UInt8(ascii: "+"),
        let colon = line.firstIndex(of: UInt8(ascii: ":"))
      else { continue }
      let key = line[(line.startIndex + 1)..<colon]
      let compared = kind == UInt8(ascii: "+") ? address.prefix(key.count) : address[...]
      guard key.equalsIgnoringCase(compared) else { continue }
      let place = "\(file.place):\(number)"
      guard let end = line.lastIndex(of: UInt8(ascii: ":")), end > colon else {
        throw .unusable(place, "its value has no colon behind it")
      }
      return Value(bytes: Bytes(line[(colon + 1)..<end]), place: place)
    }
    return nil
  }

  private func edits(_ value: Value, variable: Bytes?) throws(DeliveryFailure) -> [EnvironmentEdit] {
    // It would end the variable where it stands.
    if value.bytes.contains(0) { throw .unusable(value.place, "its value has a null byte") }
    guard let variable else { return try EnvironmentEdits.parse(envstr: value.bytes, source: value.place) }
    return [.set(name: variable, value: value.bytes)]
  }
}

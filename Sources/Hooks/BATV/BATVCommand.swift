// batv(1): makes and checks tags by hand. The command line of indimail's program of that name, whose exit statuses these are.
package import Agent

package enum BATVCommand {
  private static let usage = Bytes(
    "usage: batv [-k key] [-f format] [-t days] -s | -v address\n")

  /// - Parameters:
  ///   - arguments: without argv[0].
  ///   - day: since 1970, in UTC.
  package static func run(_ arguments: [Bytes], _ environment: Environment, day: Int) -> Ending {
    guard let options = Options(arguments, letters: "k:f:t:sv"), let address = options.operands.first,
      options.operands.count == 1, options.has("s") != options.has("v")
    else { return Ending(errors: usage, status: Ending.usageStatus) }
    do throws(DeliveryFailure) {
      guard let tag = try tag(options, environment, day) else { return Ending(errors: usage, status: Ending.usageStatus) }
      guard options.has("v") else { return Ending(output: try tag.tagged(address) + [UInt8(ascii: "\n")], status: 0) }
      return ending(try tag.check(address), address)
    } catch {
      return Ending(errors: Bytes("batv: fatal: ") + error.report.text, status: Ending.troubleStatus)
    }
  }

  /// - Returns: nil for an option that says nothing, or without a key.
  private static func tag(_ options: Options, _ environment: Environment, _ day: Int) throws(DeliveryFailure) -> BATVTag? {
    var lifetime = BATVFormat.lifetime
    if let days = options.value("t") {
      guard let number = days.decimal, number < 1_000 else { return nil }
      lifetime = number
    }
    var format = BATVFormat.madeOn
    var key = options.value("k").map { Secret($0) }
    if key == nil {
      let control = ControlDirectory(path: DialectChoice.path(environment, .indimail))
      guard let settings = try BATVSettings(control, environment) else { return nil }
      key = settings.key
      format = settings.format
    }
    if let name = options.value("f") {
      guard let named = BATVFormat(name) else { return nil }
      format = named
    }
    guard let key, !key.bytes.isEmpty else { return nil }
    return BATVTag(format, key: key, day: day, lifetime: lifetime)
  }

  private static func ending(_ verdict: BATVVerdict, _ address: Bytes) -> Ending {
    switch verdict {
    case .valid(let original): Ending(output: original + [UInt8(ascii: "\n")], status: 0)
    case .missing: failure("missing BATV address", address, status: 1)
    case .wrong: failure("bad BATV address encoding", address, status: 2)
    case .expired(let days): failure("expired BATV address [\(days) days]", address, status: 3)
    }
  }

  private static func failure(_ words: String, _ address: Bytes, status: Int32) -> Ending {
    Ending(errors: Bytes("batv: could not verify ") + address + Bytes(": \(words)\n"), status: status)
  }
}

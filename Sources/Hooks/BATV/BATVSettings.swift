// What a site says about tagging senders: key, format, and who is left out (qmail-remote(8)).
package import Agent

/// The settings; there are none without a key.
package struct BATVSettings {
  package let key: Secret
  /// `control/batvkey`, or the variable.
  package let source: String
  package let format: BATVFormat

  /// SIGNKEY, else the first line of `batvkey` or of the file that BATVKEY names.
  /// - Returns: nil without a key.
  /// - Throws: 4.3.0 for a file that can't be read, 4.3.5 for a format that doesn't exist.
  package init?(_ control: ControlDirectory, _ environment: Environment) throws(DeliveryFailure) {
    if let key = environment.value(BATVSettings.keyVariable), !key.isEmpty {
      self.key = Secret(key)
      source = "the variable \(BATVSettings.keyVariable)"
    } else {
      let name = environment.fileName("BATVKEY") ?? "batvkey"
      guard let file = try control.file(name), !file.firstLine.isEmpty else { return nil }
      key = Secret(file.firstLine)
      source = file.place
    }
    format = try BATVSettings.format(control)
  }

  /// Holds the key itself.
  private static let keyVariable = "SIGNKEY"

  private static func format(_ control: ControlDirectory) throws(DeliveryFailure) -> BATVFormat {
    guard let file = try control.file("batvformat"), !file.firstLine.isEmpty else { return .madeOn }
    guard let format = BATVFormat(file.firstLine) else {
      throw .unusable("\(file.place):1", "\(file.firstLine.printable.text) is no format of tags")
    }
    return format
  }

  /// Where the first of some domains stands in a list of those that are left out.
  /// - Parameter list: the file's name, and in capitals the variable's that replaces it.
  static func place(
    ofAnyOf domains: [ArraySlice<UInt8>], in list: String, _ control: ControlDirectory, _ environment: Environment
  ) throws(DeliveryFailure) -> String? {
    guard let file = try control.file(environment.fileName(list.uppercased()) ?? list) else { return nil }
    var place: String?
    file.forEachLine { number, line in
      if place == nil, domains.contains(where: line.equalsIgnoringCase) { place = "\(file.place):\(number)" }
    }
    return place
  }
}

extension BATVFormat {
  /// `md5`, or `draft` with the number of the key behind a blank, by default 0; nil for anything else.
  package init?(_ text: some Collection<UInt8>) {
    let words = text.split(separator: UInt8(ascii: " "))
    if words.count == 1, words[0].elementsEqual("md5".utf8) {
      self = .madeOn
    } else if let first = words.first, first.elementsEqual("draft".utf8), words.count <= 2 {
      let number = words.count == 2 && words[1].count == 1 ? words[1].decimal : words.count == 1 ? 0 : nil
      guard let number else { return nil }
      self = .expiresOn(keyNumber: number)
    } else {
      return nil
    }
  }
}

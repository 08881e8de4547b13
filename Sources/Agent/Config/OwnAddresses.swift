// Which addresses are ours, so that mail doesn't come back to us: the interfaces' and what control files add and take away. A route
// overrides all of it (D13: never connected to unless a route says so).
internal import CSystem

/// Control files `ipme` and `moreipme` (addresses to add) and `notipme` (addresses and CIDR blocks to take away).
public struct OwnAddressRules: Sendable {
  let added: [IPBlock]
  let removed: [IPBlock]

  init(_ control: ControlDirectory) throws(DeliveryFailure) {
    added = try OwnAddressRules.blocks("ipme", control) + OwnAddressRules.blocks("moreipme", control)
    removed = try OwnAddressRules.blocks("notipme", control)
  }

  /// - Parameter interfaces: the addresses of this machine, unmapped.
  func isOwn(_ address: IPAddress, interfaces: Set<IPAddress>) -> Bool {
    let address = address.unmapped
    if removed.contains(where: { $0.contains(address) }) { return false }
    return address.isLoopback || address.isUnspecified || interfaces.contains(address)
      || added.contains { $0.contains(address) }
  }

  private static func blocks(_ name: String, _ control: ControlDirectory) throws(DeliveryFailure) -> [IPBlock] {
    guard let file = try control.file(name) else { return [] }
    var blocks: [IPBlock] = []
    for (number, line) in file.lines {
      guard let block = IPBlock(line) else {
        throw .controlInvalid(file.place(line: number), "neither an IP address nor a block of them")
      }
      blocks.append(block)
    }
    return blocks
  }
}

/// The addresses of this machine's interfaces: asked only when mail exchangers are consulted.
public protocol Interfaces {
  /// - Throws: 4.3.0 when the system doesn't say.
  func addresses() throws(DeliveryFailure) -> Set<IPAddress>
}

public struct SystemInterfaces: Interfaces {
  public init() {}

  public func addresses() throws(DeliveryFailure) -> Set<IPAddress> {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard unsafe getifaddrs(&list) == 0 else { throw .systemResources(csys_errno()) }
    defer { unsafe freeifaddrs(list) }
    var addresses: Set<IPAddress> = []
    var next = unsafe list
    while let entry = unsafe next {
      if let socketAddress = unsafe entry.pointee.ifa_addr, let address = unsafe IPAddress(socketAddress) {
        addresses.insert(address)
      }
      unsafe next = entry.pointee.ifa_next
    }
    return addresses
  }
}

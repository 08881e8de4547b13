// The record of DANE (RFC 6698 section 2.1), as DNS carries it. Which of them count is a policy's business.

public struct TLSARecord: Equatable, Sendable {
  public let usage: UInt8
  public let selector: UInt8
  public let matching: UInt8
  public let association: Bytes

  public init(usage: UInt8, selector: UInt8, matching: UInt8, association: Bytes) {
    self.usage = usage
    self.selector = selector
    self.matching = matching
    self.association = association
  }
}

// Bytes that nobody may see but the server they are for.

/// A secret: kept apart so that no description, report or trace can print it by accident.
public struct Secret: Equatable, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
  package let bytes: Bytes

  public init(_ bytes: some Collection<UInt8>) { self.bytes = Bytes(bytes) }

  public var description: String { "(secret)" }
  public var debugDescription: String { description }
}

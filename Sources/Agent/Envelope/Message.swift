// The message on descriptor 0: its first block, what must be known of it before it is sent, and the rest in constant memory.
internal import CSystem

/// Where a message's bytes come from.
public protocol MessageSource {
  /// How many bytes are to come, if the source is a file.
  var size: Int? { get }
  /// The next bytes, at most `limit` of them; empty at the end; nil when reading fails.
  func read(limit: Int) -> Bytes?
  /// Bytes further on, counted from where the reading started, which doesn't move; nil when the source can't.
  func peek(at offset: Int, limit: Int) -> Bytes?
  /// What is to come, as a file; nil if the source isn't one.
  var file: MessageFile? { get }
  /// Goes on there with the reading; false when the source can't.
  func seek(to offset: Int) -> Bool
}

extension MessageSource {
  public var file: MessageFile? { nil }
  public func seek(to offset: Int) -> Bool { false }
}

/// The message of a delivery.
public final class Message {
  private var source: any MessageSource
  private let extraHeader: Bytes
  private var firstBlock = Bytes()
  private(set) var isWhole = false
  private var piecesTaken = 0
  /// No filter has made another message of it.
  private let isAsDeclared: Bool
  /// The reading stands where the pieces do.
  private var isInPlace = true

  /// Large enough that system calls don't count, small enough for the processor's cache.
  static let blockSize = 65_536

  /// - Parameter extraHeader: lines that go in front; a missing line end is added.
  public init(_ source: any MessageSource, extraHeader: Bytes = []) {
    self.source = source
    var header = extraHeader
    if let last = header.last, last != UInt8(ascii: "\n") { header.append(UInt8(ascii: "\n")) }
    self.extraHeader = header
    isAsDeclared = true
  }

  /// A message that filters have seen.
  init(_ file: MessageFile, isAsDeclared: Bool) {
    file.rewind()
    source = file
    extraHeader = []
    self.isAsDeclared = isAsDeclared
  }

  /// All that would be sent, in a file: descriptor 0 itself if that is one.
  /// - Throws: 4.3.0 when it can't be read, or no file can be made of it.
  func file(_ environment: Environment) throws(DeliveryFailure) -> MessageFile {
    if extraHeader.isEmpty, let file = source.file { return file }
    let file = try MessageFile(environment)
    try file.append(extraHeader)
    while true {
      guard let block = source.read(limit: Message.blockSize) else { throw .messageUnreadable }
      if block.isEmpty { return file }
      try file.append(block)
    }
  }

  /// Reads the first block; to be called once, before anything else.
  /// - Throws: 4.3.0 when descriptor 0 can't be read.
  func prepare() throws(DeliveryFailure) {
    let wanted = min((source.size ?? Message.blockSize) + 1, Message.blockSize)
    while firstBlock.count < wanted, !isWhole {
      guard let bytes = source.read(limit: wanted - firstBlock.count) else { throw .messageUnreadable }
      isWhole = bytes.isEmpty
      firstBlock += bytes
    }
  }

  /// Makes the length of the message known, by reading it to its end into a temporary file if it must be.
  /// - Throws: 4.3.0 when descriptor 0 can't be read, when there is no room for the file, or when the message is too long for it.
  func measure(_ environment: Environment) throws(DeliveryFailure) {
    guard length == nil else { return }
    let file = try Message.measuring { () throws(DeliveryFailure) in try MessageFile(environment) }
    var block = firstBlock
    while !block.isEmpty {
      guard file.count + block.count <= Message.measuredLimit else {
        throw .cannotMeasure("it has more than \(Message.measuredLimit) bytes")
      }
      try Message.measuring { () throws(DeliveryFailure) in try file.append(block) }
      guard let next = source.read(limit: Message.blockSize) else { throw .messageUnreadable }
      block = next
    }
    // The reading goes on behind the first block, as it would have.
    _ = file.seek(to: firstBlock.count)
    source = file
  }

  /// No server takes more, and a pipe without end must not fill the disk.
  private static let measuredLimit = 1 << 30

  /// What goes wrong with the file, said as why the message can't go by the protocol that wants it.
  private static func measuring<Result>(
    _ work: () throws(DeliveryFailure) -> Result
  ) throws(DeliveryFailure) -> Result {
    do throws(DeliveryFailure) {
      return try work()
    } catch {
      throw .cannotMeasure(error.detail.text)
    }
  }

  /// With the extra header; nil for a pipe that was not measured and is longer than the first block.
  var length: Int? {
    let count = isWhole ? firstBlock.count : source.size
    return count.map { $0 + extraHeader.count }
  }

  /// Whether the message visibly ends within a line, which SMTP can't transfer. The end of a long pipe can't be seen.
  var endsWithinLine: Bool { lastByte.map { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") } ?? false }

  /// For the SIZE extension; nil when the message comes from a pipe.
  var size: Int? { source.size }

  /// What the operands say its size is, as long as that is about this message.
  func declaredSize(_ envelope: Envelope) -> Bytes? { isAsDeclared ? envelope.declaredSize : nil }

  /// nil when the message is empty, or when its end can't be seen yet.
  private var lastByte: UInt8? {
    if isWhole { return firstBlock.last }
    guard let size, size > 0 else { return nil }
    return source.peek(at: size - 1, limit: 1)?.last
  }

  /// Whether there may be a byte above 127. A pipe that is longer than the first block may hold one.
  func mayHaveEightBitBytes() -> Bool {
    if Message.hasEightBitByte(extraHeader) || Message.hasEightBitByte(firstBlock) { return true }
    var offset = firstBlock.count
    while !isWhole {
      guard let block = source.peek(at: offset, limit: Message.blockSize) else { return true }
      if block.isEmpty { return false }
      if Message.hasEightBitByte(block) { return true }
      offset += block.count
    }
    return false
  }

  /// The pieces of a message that is here whole.
  var wholePieces: [ArraySlice<UInt8>] { [extraHeader[...], firstBlock[...]] }

  /// Whether the newest trace line says that the message came by an SMTPUTF8 protocol (RFC 6531 section 4.3, `with UTF8SMTP…`).
  var cameAsSMTPUTF8: Bool {
    let field = "received:"
    var isInField = false
    for line in firstBlock.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      let isContinued = line.first == UInt8(ascii: " ") || line.first == UInt8(ascii: "\t")
      if isInField, !isContinued { return false }
      isInField = isInField || line.startsIgnoringCase(with: field)
      if isInField, line.containsWordIgnoringCase("with utf8") { return true }
      if line.isEmpty || line.elementsEqual([UInt8(ascii: "\r")]) { return false }
    }
    return false
  }

  /// The next piece in order; nil at the end.
  /// - Throws: 4.3.0 when descriptor 0 can't be read any more.
  func nextPiece() throws(DeliveryFailure) -> ArraySlice<UInt8>? {
    guard isInPlace else { throw .messageUnreadable }
    piecesTaken += 1
    if piecesTaken == 1 { return extraHeader[...] }
    if piecesTaken == 2 { return firstBlock[...] }
    if isWhole { return nil }
    guard let bytes = source.read(limit: Message.blockSize) else { throw .messageUnreadable }
    return bytes.isEmpty ? nil : bytes[...]
  }

  /// Begins anew with the pieces, for another server. What can't be read twice is unreadable then.
  func rewind() {
    guard piecesTaken > 0 else { return }
    piecesTaken = 0
    isInPlace = isWhole || source.seek(to: firstBlock.count)
  }

  private static func hasEightBitByte(_ bytes: Bytes) -> Bool {
    unsafe bytes.withUnsafeBytes { unsafe csys_seven_bit_prefix($0.baseAddress, $0.count) } < bytes.count
  }
}

/// A descriptor, read from where it stands.
public struct DescriptorSource: MessageSource {
  private let descriptor: Int32
  private let start: off_t
  /// A pipe can be silent for ever.
  private let deadline: Deadline
  private let clock: any MonotonicClock
  public let size: Int?

  /// - Parameter deadline: by when all of it must have been read.
  public init(descriptor: Int32, by deadline: Deadline, clock: any MonotonicClock) {
    self.descriptor = descriptor
    self.deadline = deadline
    self.clock = clock
    var status = stat()
    let isFile = unsafe fstat(descriptor, &status) == 0 && Int32(status.st_mode) & S_IFMT == S_IFREG
    start = isFile ? max(lseek(descriptor, 0, SEEK_CUR), 0) : 0
    size = isFile ? max(Int(status.st_size - start), 0) : nil
  }

  public var file: MessageFile? { MessageFile(descriptor: descriptor) }

  public func read(limit: Int) -> Bytes? {
    guard size != nil || FileDescriptor.awaitInput(descriptor, by: deadline, clock: clock) else { return nil }
    return FileDescriptor.read(descriptor, limit: limit)
  }

  public func peek(at offset: Int, limit: Int) -> Bytes? {
    size == nil ? nil : FileDescriptor.read(descriptor, at: start + off_t(offset), limit: limit)
  }

  public func seek(to offset: Int) -> Bool { size != nil && lseek(descriptor, start + off_t(offset), SEEK_SET) >= 0 }
}

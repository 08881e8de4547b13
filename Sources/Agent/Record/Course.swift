// What can be seen of a delivery while it goes on, for its record: who was connected to, when things happened, how often it waited. Pure:
// events and moments in.

/// The course of a delivery so far. Times are counted from its start.
struct Course {
  /// When the plan was made; nil when it came to none.
  private(set) var planned: Duration?
  private(set) var passedOver: [Candidate] = []
  private(set) var contact: Contact?
  /// The bytes of the message as they went out; nil when its last byte never did.
  private(set) var messageBytes: Int?
  /// One for each connection, one for each greeting, and one for each time that something was sent and then waited for.
  private(set) var roundTrips = 0
  private(set) var end: Duration?
  private var starts: [(candidate: Candidate, at: Duration)] = []
  private var hasSent = false

  /// The last connection.
  struct Contact {
    let candidate: Candidate
    let started: Duration
    let connected: Duration
    fileprivate(set) var greeted: Duration?
    /// When TLS was up.
    fileprivate(set) var secured: Duration?
    /// As whom the server knows us.
    fileprivate(set) var authentication: AuthenticatedIdentity?
    /// When the envelope began to go out.
    fileprivate(set) var ready: Duration?
    /// When the last byte of the message had gone out.
    fileprivate(set) var sent: Duration?
    /// When the server said something for the last time.
    fileprivate(set) var answered: Duration?
  }

  mutating func note(_ event: DeliveryEvent, at moment: Duration) {
    switch event {
    case .planned: planned = moment
    case .passedOver(let candidate): passedOver.append(candidate)
    case .connecting(let candidate): starts.append((candidate, moment))
    case .connected(let candidate):
      let start = starts.last { $0.candidate == candidate }?.at ?? moment
      contact = Contact(candidate: candidate, started: start, connected: moment)
      (starts, hasSent) = ([], false)
      roundTrips += 1
    case .sent(let commands):
      hasSent = true
      if contact?.ready == nil, commands.first?.isMail == true { contact?.ready = moment }
    case .sentMessage(let bytes):
      hasSent = true
      messageBytes = bytes
      contact?.sent = moment
    case .received: received(at: moment)
    case .secured:
      // A handshake waits for the server too, and what it said before is nothing that it said for the last time.
      roundTrips += 1
      contact?.secured = moment
      hasSent = false
    case .sentPackage(_, let bytes):
      hasSent = true
      messageBytes = bytes
      contact?.sent = moment
    case .responded:
      if hasSent { roundTrips += 1 }
      contact?.answered = moment
      hasSent = false
    case .authenticated(let identity): contact?.authentication = identity
    case .left: break
    case .reported: end = moment
    }
  }

  private mutating func received(at moment: Duration) {
    if contact?.greeted == nil { contact?.greeted = moment }
    if contact?.answered == nil || hasSent { roundTrips += 1 }
    contact?.answered = moment
    hasSent = false
  }
}

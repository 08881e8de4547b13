// One run of a program: descriptors, a deadline, and an end that leaves nothing behind. Knows neither questions nor answers, only bytes.
internal import Agent
internal import CSystem

/// What a program is started with.
struct HookStart {
  /// What it finds on descriptor 0.
  enum Input {
    case bytes(Bytes)
    /// A descriptor of ours, where it stands.
    case file(Int32)
    /// `/dev/null`.
    case nothing
  }

  /// What becomes of what it writes.
  enum Output {
    /// It is read, up to a limit.
    case collected
    /// What it writes to descriptor 1 goes into a file, up to this many bytes; the rest is as above.
    case stored(MessageFile, limit: Int)
    /// `/dev/null`.
    case discarded

    /// The same for descriptor 2.
    var ofErrors: Output {
      switch self {
      case .collected, .stored: .collected
      case .discarded: .discarded
      }
    }
  }

  /// The path of the file.
  let path: Bytes
  /// argv, argv[0] included.
  let arguments: [Bytes]
  let environment: [Bytes]
  let input: Input
  var output = Output.collected
}

/// How a run ended.
enum HookEnding: Equatable {
  case exited(Int32)
  case killed(signal: Int32)
  /// It ran past its deadline.
  case tookTooLong
  /// It wrote more than may be to a descriptor.
  case wroteTooMuch(descriptor: Int32, limit: Int)
  /// There was no room for what it wrote.
  case notStored(DeliveryFailure)
  /// An error number.
  case didNotStart(Int32)
  /// Nobody knows: somebody killed its supervisor.
  case lost
}

/// What came of a run.
struct HookResult {
  let ending: HookEnding
  var output = Bytes()
  var errors = Bytes()
}

/// Runs programs.
struct HookProcess {
  let clock: any MonotonicClock
  let limit: Duration

  /// For what is read of a descriptor.
  static let outputLimit = 65_536

  func run(_ start: HookStart) -> HookResult {
    let number = HookProcess.question(start.input)
    guard number >= 0 else { return HookResult(ending: .didNotStart(csys_errno())) }
    let question = FileDescriptor(owning: number)
    guard let output = HookOutput(start.output), let errors = HookOutput(start.output.ofErrors) else {
      return HookResult(ending: .didNotStart(csys_errno()))
    }
    let deadline = Deadline(limit, after: clock.now())
    let descriptors = (question.number, output.programEnd, errors.programEnd)
    guard let supervisor = HookSupervisor(start, descriptors) else {
      return HookResult(ending: .didNotStart(csys_errno()))
    }
    close(question)
    output.release()
    errors.release()
    let ending = HookWatch(output: output, errors: errors, supervisor: supervisor, clock: clock).wait(deadline)
    return HookResult(ending: ending, output: output.bytes, errors: errors.bytes)
  }

  /// - Returns: a descriptor; -1 on failure, with errno.
  private static func question(_ input: HookStart.Input) -> Int32 {
    switch input {
    case .nothing: return unsafe csys_open("/dev/null", O_RDONLY)
    case .file(let number): return csys_duplicate(number)
    case .bytes(let bytes):
      // A file, not a pipe: whoever doesn't read it keeps nobody waiting, and there is nothing to write while it runs.
      let number = unsafe bytes.withUnsafeBytes { unsafe csys_memory_file($0.baseAddress, $0.count) }
      if number >= 0 { _ = lseek(number, 0, SEEK_SET) }
      return number
    }
  }

  /// The program's copies are all that is to be open.
  private func close(_ descriptor: consuming FileDescriptor) {}
}

/// What a program writes to one descriptor, as far as it counts.
final class HookOutput {
  /// What the program gets.
  private(set) var programEnd: Int32 = -1
  private var reading: Int32 = -1
  private let file: MessageFile?
  let limit: Int
  private(set) var bytes = Bytes()
  private var count = 0
  private var isAtEnd = false
  /// Why nothing more was stored.
  private(set) var failure: DeliveryFailure?

  /// - Returns: nil on failure, with errno.
  init?(_ kind: HookStart.Output) {
    switch kind {
    case .collected: (file, limit) = (nil, HookProcess.outputLimit)
    case .stored(let file, let limit): (self.file, self.limit) = (file, limit)
    case .discarded:
      (file, limit) = (nil, 0)
      programEnd = unsafe csys_open("/dev/null", O_WRONLY)
      isAtEnd = true
      guard programEnd >= 0 else { return nil }
      return
    }
    guard unsafe csys_pipe(&reading, &programEnd) == 0 else { return nil }
  }

  deinit {
    release()
    if reading >= 0 { _ = close(reading) }
  }

  /// The program's copy is all that is to be open.
  func release() {
    if programEnd >= 0 { _ = close(programEnd) }
    programEnd = -1
  }

  var isTooLong: Bool { count > limit }

  private var isOver: Bool { isAtEnd || isTooLong || failure != nil }

  /// For poll(2); -1 when nothing more is to be read.
  var number: Int32 { isOver ? -1 : reading }

  /// Takes what is there now.
  func take() {
    while !isOver {
      guard let block = FileDescriptor.read(reading, limit: min(limit + 1 - count, HookOutput.blockSize)) else {
        if csys_errno() != EAGAIN { isAtEnd = true }
        return
      }
      if block.isEmpty { isAtEnd = true }
      count += block.count
      keep(block)
    }
  }

  private func keep(_ block: Bytes) {
    guard let file else {
      bytes += block
      return
    }
    do throws(DeliveryFailure) {
      try file.append(block)
    } catch {
      failure = error
    }
  }

  private static let blockSize = 65_537
}

/// The process between us and the program (spawn.c).
final class HookSupervisor {
  private let processID: pid_t
  let leash: FileDescriptor

  /// - Parameter descriptors: the program's 0, 1 and 2.
  /// - Returns: nil when it can't be started, with errno.
  init?(_ start: HookStart, _ descriptors: (Int32, Int32, Int32)) {
    var leash: Int32 = -1
    let processID = unsafe start.path.withCString { path in
      unsafe CStrings(start.arguments).withPointers { arguments in
        unsafe CStrings(start.environment).withPointers { environment in
          var hook = unsafe csys_hook(
            path: path, arguments: arguments, environment: environment, question: descriptors.0, answer: descriptors.1,
            errors: descriptors.2)
          return unsafe csys_hook_start(&hook, &leash)
        }
      }
    }
    guard processID > 0 else { return nil }
    self.processID = processID
    self.leash = FileDescriptor(owning: leash)
  }

  /// Lets go of the leash: the supervisor kills whatever is left of the program.
  func kill() { _ = shutdown(leash.number, Int32(SHUT_WR)) }

  /// The ending, if it is there; nil at the end of the leash.
  func takeEnding() -> HookEnding? {
    var ending = csys_hook_ending()
    guard unsafe csys_hook_take_ending(leash.number, &ending) > 0 else { return nil }
    return switch ending.how {
    case csys_hook_exited: .exited(ending.number)
    case csys_hook_killed: .killed(signal: ending.number)
    default: .didNotStart(ending.number)
    }
  }

  /// - Parameter isGone: without it, a supervisor that still can't kill something is left alone with that.
  func reap(isGone: Bool) { _ = csys_reap(processID, isGone ? 0 : WNOHANG) }
}

/// Reads what a program writes until it and all it started are gone.
struct HookWatch {
  let output: HookOutput
  let errors: HookOutput
  let supervisor: HookSupervisor
  let clock: any MonotonicClock

  /// What is killed is gone at once, unless it hangs in the kernel, and then nobody can wait for it.
  private static let patience = Duration.seconds(5)

  func wait(_ limit: Deadline) -> HookEnding {
    var deadline = limit
    var ending: HookEnding?
    var isGone = false
    while !isGone {
      let isOnLeash = poll(deadline)
      // After the wait: when it ends with the leash, all who wrote are gone, and what they wrote is here.
      output.take()
      errors.take()
      if isOnLeash {
        // The first that is known counts: a program that we have killed ends by a signal.
        if let told = supervisor.takeEnding() { ending = ending ?? told } else { isGone = true }
        deadline = Deadline(HookWatch.patience, after: clock.now())
      } else if ending == nil, let trouble {
        ending = trouble
        supervisor.kill()
        deadline = Deadline(HookWatch.patience, after: clock.now())
      } else if deadline.hasPassed(at: clock.now()) {
        guard ending == nil else { break }
        ending = .tookTooLong
        supervisor.kill()
        deadline = Deadline(HookWatch.patience, after: clock.now())
      }
    }
    supervisor.reap(isGone: isGone)
    return trouble ?? ending ?? .lost
  }

  /// What is wrong with what it wrote.
  private var trouble: HookEnding? {
    if output.isTooLong { return .wroteTooMuch(descriptor: 1, limit: output.limit) }
    if errors.isTooLong { return .wroteTooMuch(descriptor: 2, limit: errors.limit) }
    return output.failure.map(HookEnding.notStored)
  }

  /// - Returns: whether the supervisor has something to say.
  private func poll(_ deadline: Deadline) -> Bool {
    let numbers = [output.number, errors.number, supervisor.leash.number]
    var polled = numbers.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    let count = unsafe CSystem.poll(&polled, nfds_t(polled.count), deadline.milliseconds(from: clock.now()))
    return count > 0 && polled[2].revents != 0
  }
}

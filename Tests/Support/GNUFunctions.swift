// Functions of the GNU C library that its Swift module doesn't show, looked up by their names.
import Glibc

public enum GNUFunctions {
  private typealias FileActions = UnsafeMutablePointer<posix_spawn_file_actions_t>

  /// A new process gets no descriptor from `first` on. Without this a socket that another test holds would stay open in the
  /// process, and closing it would not reach the other side.
  static func closeFrom(_ first: Int32, in actions: inout posix_spawn_file_actions_t) -> Int32 {
    let name = "posix_spawn_file_actions_addclosefrom_np"
    guard let function = lookUp(name, as: (@convention(c) (FileActions, Int32) -> Int32).self) else { return ENOSYS }
    return function(&actions, first)
  }

  /// Moves the calling thread into the network namespace of a descriptor.
  public static func enterNetworkNamespace(_ descriptor: Int32) -> Bool {
    guard let function = lookUp("setns", as: (@convention(c) (Int32, Int32) -> Int32).self) else { return false }
    return function(descriptor, newNetworkNamespace) == 0
  }

  /// Gives the calling thread a network namespace of its own.
  public static func makeNetworkNamespace() -> Bool {
    guard let function = lookUp("unshare", as: (@convention(c) (Int32) -> Int32).self) else { return false }
    return function(newNetworkNamespace) == 0
  }

  /// CLONE_NEWNET
  private static let newNetworkNamespace: Int32 = 0x4000_0000

  private static func lookUp<Function>(_ name: String, as type: Function.Type) -> Function? {
    dlsym(nil, name).map { unsafeBitCast($0, to: type) }
  }
}

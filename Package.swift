// swift-tools-version: 6.2
// The agent, its hooks and the executables. Plain `swift build` works; contrib/build.sh adds what makes the binary start fast.
import PackageDescription

let environment = Context.environment

/// CI turns every warning into an error; a site that builds with a newer compiler is not stopped by its new warnings.
let strict: [SwiftSetting] = environment["QMAILREMOTE_STRICT"] == nil ? [] : [.treatAllWarnings(as: .error)]

let swift: [SwiftSetting] =
  [
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    // The runtime makes types that a program asks for, which is a third of a small delivery. Fewer are asked for when types have
    // accessors of their own instead of names, and when values are copied and destroyed by code instead of by their type's table.
    // A section for each function, so that the linker leaves out those that nobody calls.
    .unsafeFlags(
      [
        "-Xfrontend", "-disable-concrete-type-metadata-mangled-name-accessors", "-Xfrontend", "-disable-type-layout",
        "-Xfrontend", "-function-sections",
      ], .when(configuration: .release)),
  ] + strict

/// Tests read better without `unsafe` before each system call.
let relaxed: [SwiftSetting] = [.enableUpcomingFeature("ExistentialAny")] + strict

/// contrib/build.sh makes this folder with a link to the static C++ runtime: the linker then finds it before the shared one
/// (0.4 ms less to load). RELR needs the bfd linker: what lld writes is refused by the C library of Debian 12. Nothing looks up
/// symbols in these programs, so none are exported: those would also keep functions that nobody calls.
let link: [LinkerSetting] = [
  .unsafeFlags(
    [
      "-L", ".build/static", "-Xclang-linker", "-static-libgcc", "-use-ld=bfd", "-Xlinker", "-z", "-Xlinker",
      "pack-relative-relocs", "-Xlinker", "-z", "-Xlinker", "relro", "-Xlinker", "-z", "-Xlinker", "now", "-Xlinker",
      "-T", "-Xlinker", Context.packageDirectory + "/contrib/relro.ld", "-Xlinker", "--no-export-dynamic", "-Xlinker",
      "--gc-sections", "-Xlinker", "--as-needed", "-Xlinker", "-s",
    ], .when(configuration: .release))
]

let package = Package(
  name: "qmail-remote",
  targets: [
    .target(name: "CSystem", path: "Sources/CLibs/CSystem"),
    .target(name: "CLoader", path: "Sources/CLibs/CLoader"),
    .target(
      name: "CMath", dependencies: ["CLoader"], path: "Sources/CLibs/CMath",
      cSettings: [.define("CMATH_INSTEAD_OF_LIBM", .when(configuration: .release))]),
    .target(name: "CAres", dependencies: ["CLoader"], path: "Sources/CLibs/CAres"),
    .target(name: "COpenSSL", dependencies: ["CLoader"], path: "Sources/CLibs/COpenSSL"),
    .target(name: "CIDN2", dependencies: ["CLoader"], path: "Sources/CLibs/CIDN2"),
    .target(name: "CGSASL", dependencies: ["CLoader"], path: "Sources/CLibs/CGSASL"),
    .target(name: "CCrypto", dependencies: ["CLoader"], path: "Sources/CLibs/CCrypto"),
    .systemLibrary(name: "CTinyCDB", path: "Sources/CLibs/CTinyCDB", pkgConfig: "libcdb"),
    .target(
      name: "Agent", dependencies: ["CSystem", "CAres", "CCrypto", "CIDN2", "CMath", "COpenSSL", "CTinyCDB"],
      swiftSettings: swift),
    .target(name: "Auth", dependencies: ["Agent", "CGSASL"], swiftSettings: swift),
    .target(name: "Hooks", dependencies: ["Agent", "CSystem"], swiftSettings: swift),
    .target(name: "Site", dependencies: ["Agent", "Auth", "Hooks"], swiftSettings: swift),
    .executableTarget(
      name: "qmail-remote", dependencies: ["Agent", "Site", "CSystem"], swiftSettings: swift, linkerSettings: link),
    .executableTarget(
      name: "qmail-remote-explain", dependencies: ["Agent", "Site"], path: "Sources/Tools/qmail-remote-explain",
      swiftSettings: swift, linkerSettings: link),
    .executableTarget(
      name: "cdb-database", dependencies: ["Agent", "Auth", "CSystem"], path: "Sources/Tools/cdb-database",
      swiftSettings: relaxed, linkerSettings: link),
    .executableTarget(
      name: "ctrlenv", dependencies: ["Agent", "Auth", "Hooks", "CSystem"], path: "Sources/Tools/ctrlenv",
      swiftSettings: swift, linkerSettings: link),
    .executableTarget(
      name: "spawn-filter", dependencies: ["Agent", "Hooks", "CSystem"], path: "Sources/Tools/spawn-filter",
      swiftSettings: swift, linkerSettings: link),
    .executableTarget(
      name: "batv", dependencies: ["Agent", "Hooks", "CSystem"], path: "Sources/Tools/batv", swiftSettings: swift,
      linkerSettings: link),
    .target(name: "CFixedRandom", path: "Tests/CLibs/CFixedRandom"),
    .target(
      name: "Support", dependencies: ["Agent", "CFixedRandom", "CSystem"], path: "Tests/Support", exclude: ["Scripts"],
      swiftSettings: relaxed),
    .testTarget(name: "AgentTests", dependencies: ["Agent", "CMath", "Support"], swiftSettings: relaxed),
    .systemLibrary(name: "CGSASLServer", path: "Tests/CLibs/CGSASLServer", pkgConfig: "libgsasl"),
    .testTarget(name: "AuthTests", dependencies: ["Agent", "Auth", "CGSASLServer", "Support"], swiftSettings: relaxed),
    .testTarget(
      name: "HooksTests", dependencies: ["Agent", "CSystem", "Hooks", "Support"], swiftSettings: relaxed),
    .testTarget(
      name: "TranscriptTests", dependencies: ["Agent", "Site", "Support"], exclude: ["Transcripts"],
      swiftSettings: relaxed),
    .testTarget(
      name: "PlanTests", dependencies: ["Agent", "Auth", "Site", "Support"], exclude: ["Plans"], swiftSettings: relaxed),
    .testTarget(
      name: "RemoteTests",
      dependencies: [
        "Agent", "CSystem", "Support", "batv", "cdb-database", "ctrlenv", "qmail-remote", "qmail-remote-explain",
        "spawn-filter",
      ],
      exclude: ["Servers/README.md"], swiftSettings: relaxed),
  ],
  swiftLanguageModes: [.v6]
)

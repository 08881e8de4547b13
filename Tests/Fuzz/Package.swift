// swift-tools-version: 6.2
// Fuzzing under the address sanitizer, as a package of its own: the sanitizer and the fuzzer's main belong into no other build.
//   contrib/fuzz.sh [RUNS]
import PackageDescription

let checked: [SwiftSetting] = [
  .unsafeFlags(["-sanitize=fuzzer,address", "-enable-testing", "-O"]), .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"), .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
  name: "fuzz",
  targets: [
    .target(name: "CSystem", path: "Sources/CLibs/CSystem"),
    .target(name: "CLoader", path: "Sources/CLibs/CLoader"),
    .target(name: "CAres", dependencies: ["CLoader"], path: "Sources/CLibs/CAres"),
    .target(name: "CIDN2", dependencies: ["CLoader"], path: "Sources/CLibs/CIDN2"),
    .target(name: "CCrypto", dependencies: ["CLoader"], path: "Sources/CLibs/CCrypto"),
    .target(name: "COpenSSL", dependencies: ["CLoader"], path: "Sources/CLibs/COpenSSL"),
    .systemLibrary(name: "CTinyCDB", path: "Sources/CLibs/CTinyCDB", pkgConfig: "libcdb"),
    .target(
      name: "Agent", dependencies: ["CSystem", "CAres", "CCrypto", "CIDN2", "COpenSSL", "CTinyCDB"], path: "Sources/Agent",
      swiftSettings: checked),
    .target(name: "CGSASL", dependencies: ["CLoader"], path: "Sources/CLibs/CGSASL"),
    .target(name: "Auth", dependencies: ["Agent", "CGSASL"], path: "Sources/Auth", swiftSettings: checked),
    .target(name: "Hooks", dependencies: ["Agent", "CSystem"], path: "Sources/Hooks", swiftSettings: checked),
    .executableTarget(
      name: "fuzz", dependencies: ["Agent", "Auth", "CSystem", "Hooks"], path: "Sources/fuzz",
      swiftSettings: checked,
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=bfd"])]),
  ],
  swiftLanguageModes: [.v6]
)

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
    .target(name: "CAres", path: "Sources/CLibs/CAres"),
    .target(name: "CIDN2", path: "Sources/CLibs/CIDN2"),
    .target(name: "CCrypto", path: "Sources/CLibs/CCrypto"),
    .systemLibrary(name: "CTinyCDB", path: "Sources/CLibs/CTinyCDB", pkgConfig: "libcdb"),
    .target(
      name: "Agent", dependencies: ["CSystem", "CAres", "CCrypto", "CIDN2", "CTinyCDB"], path: "Sources/Agent",
      swiftSettings: checked),
    .executableTarget(
      name: "fuzz", dependencies: ["Agent", "CSystem"], path: "Sources/fuzz",
      swiftSettings: checked,
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=bfd"])]),
  ],
  swiftLanguageModes: [.v6]
)

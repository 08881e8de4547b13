import CSystem
import Foundation
import Support
import Testing

@testable import Agent
@testable import Auth

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// The database that the text makes.
private func database(_ text: String) throws -> [UInt8] {
  let file = try #require(TemporaryDatabase())
  let maker = try ConstantDatabaseMaker(descriptor: file.descriptor)
  for record in try AssignmentText.records(bytes(text)) { try maker.add(record.key, record.data) }
  try maker.finish()
  return file.content()
}

@Suite struct RemoteAuthTests {
  private static let text = """
    # who relays as whom
    +:testuser@example.com supersecret:
    +joe-:joe@example.com everyoneknows:
    =joe:joe2@example.com everyoneknows:
    =JOE:second never found:
    =gmail:some_user@gmail.com app_password AUTH_SMTP=LOGIN,SECURE_AUTH=1:
    =colon:u p:q:
    =nobody:nopassword:
    .
    this is not read
    """

  private func identity(_ route: String, sender: String = "s@x", recipient: String = "r@y", text: String = text) throws
    -> CredentialIdentity?
  {
    let control = ControlDirectory(files: ["remote_auth.cdb": try database(text)])
    let line = try RouteLine(bytes(route), dialect: .indimail, place: "control/smtproutes:1")
    let question = RouteQuestion(
      host: Domain(bytes("h")), sender: Address(bytes(sender)), recipients: [Address(bytes(recipient))])
    return try RouteCredentials(control).identity(
      for: question, route: Route(line: line, source: "control/smtproutes:1"), environment: Environment())
  }

  @Test(
    "a simple assignment before any wildcard, a longer one before a shorter, case ignored, nothing appended",
    arguments: [
      ("joe", "joe2@example.com"), ("Joe", "joe2@example.com"), ("joe-direct", "joe@example.com"), ("joe-", "joe@example.com"),
      ("bill", "testuser@example.com"), ("joex", "testuser@example.com"), ("JOE-X", "joe@example.com"),
      ("gmail", "some_user@gmail.com"),
    ])
  func assignments(_ key: String, _ user: String) throws {
    #expect(try identity("relay /\(key)")?.user == bytes(user))
    #expect(try identity("relay /s", sender: key)?.user == bytes(user))
    #expect(try identity("relay /r", recipient: key)?.user == bytes(user))
  }

  @Test("the data of a wildcard is as it was written")
  func nothingAppended() throws {
    let control = ControlDirectory(files: ["remote_auth.cdb": try database(Self.text)])
    let data = try RemoteAuthLookup(database: try #require(try control.database("remote_auth.cdb"))).data(
      for: bytes("joe-direct"))
    #expect(data == bytes("joe@example.com everyoneknows"))
  }

  @Test("edits that stand with the credentials")
  func edits() throws {
    let found = try #require(try identity("relay /gmail"))
    #expect(
      found.edits?.edits == [
        .set(name: bytes("AUTH_SMTP"), value: bytes("LOGIN")), .set(name: bytes("SECURE_AUTH"), value: bytes("1")),
      ])
    #expect(found.source == "control/remote_auth.cdb, key gmail")
  }

  @Test("no record, no file")
  func none() throws {
    #expect(try identity("relay /x", text: "=joe:u p:\n") == nil)
    #expect(try identity("relay") == nil)
    let line = try RouteLine(bytes("relay /s"), dialect: .stock, place: "x")
    let question = RouteQuestion(host: Domain(bytes("h")), sender: Address([]), recipients: [])
    #expect(
      try RouteCredentials(ControlDirectory(files: [:])).identity(
        for: question, route: Route(line: line, source: "x"), environment: Environment()) == nil)
  }

  @Test("a record without a password defers, and no text ever shows one")
  func noPassword() {
    #expect { try identity("relay /nobody") } throws: {
      guard let failure = $0 as? DeliveryFailure else { return false }
      return failure.status.description == "4.3.5" && !failure.report.text.text.contains("nopassword")
    }
  }

  @Test(
    "what is no assignment is named by its line",
    arguments: [("=a:u p", 1), ("x\n", 1), ("=a:u p:\n=b\n", 2), ("# x\n\n*a:u p:\n", 3), ("=a:\n", 1), ("+u p:\n", 1)])
  func faults(_ text: String, _ line: Int) {
    #expect { try AssignmentText.records(bytes(text)) } throws: { ($0 as? AssignmentText.Fault)?.line == line }
  }

  @Test("passwords don't print")
  func secrets() throws {
    let record = try #require(RemoteAuthRecord(bytes("user hunter2 A=1")))
    #expect(!String(describing: record).contains("hunter2") && !String(reflecting: record.password).contains("hunter2"))
    #expect(record.edits == bytes("A=1"))
  }
}

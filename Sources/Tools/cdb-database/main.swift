// cdb-database(8): makes FILE.cdb in the control directory from FILE, for remote_auth.
import Agent
import Auth
import CSystem

/// Ends with a message, and with status 100 for what a person has to mend, 111 for the system's trouble.
func die(_ words: String, _ status: Int32) -> Never {
  let line = Array("cdb-database: fatal: \(words)\n".utf8)
  _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
  exit(status)
}

let operands = Arguments.ofProcess()
guard operands.count == 1, let name = operands.first?.text, !name.contains("/") else {
  die("usage: cdb-database FILE", 100)
}
let environment = Environment.ofProcess()
let folder = (environment.value("CONTROLDIR") ?? Array("/etc/indimail/control".utf8)).text
guard chdir(folder) == 0 else { die("unable to go to \(folder): \(String(cString: csys_error_text(csys_errno())))", 111) }

do {
  guard let file = try ControlDirectory(path: Array(".".utf8)).file(name) else { die("there is no \(name)", 111) }
  var source = stat()
  guard stat(name, &source) == 0 else { die("unable to look at \(name)", 111) }
  let records: [(key: [UInt8], data: [UInt8])]
  do {
    records = try AssignmentText.records(file.bytes)
  } catch {
    die("bad format in \(name) line \(error.line)", 100)
  }
  // No more readable than the text, from its first byte on.
  let temporary = "\(name).tmp"
  _ = unlink(temporary)
  let descriptor = csys_create(temporary, source.st_mode & 0o777)
  guard descriptor >= 0 else { die("unable to make \(temporary): \(String(cString: csys_error_text(csys_errno())))", 111) }
  let maker = try ConstantDatabaseMaker(descriptor: descriptor)
  for record in records { try maker.add(record.key, record.data) }
  try maker.finish()
  guard fsync(descriptor) == 0, fchown(descriptor, source.st_uid, source.st_gid) == 0 || geteuid() != 0,
    rename(temporary, "\(name).cdb") == 0
  else { die("unable to write \(name).cdb: \(String(cString: csys_error_text(csys_errno())))", 111) }
} catch {
  die(error.report.text.text, 111)
}

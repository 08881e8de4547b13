// Where the programs are that tests run, in the folder Scripts beside this file.
import Foundation

public enum TestScripts {
  public static func path(_ name: String) -> String { "\((#filePath as NSString).deletingLastPathComponent)/Scripts/\(name)" }
}

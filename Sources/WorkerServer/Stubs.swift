import Foundation
enum DoctorCommand { static func run(_ a: [String], environment: [String: String]) -> Int32 { 1 } }
enum InstallCommand { static func run(arguments: [String], environment: [String: String], output: (String) -> Void) -> Int32 { 1 } }
enum UninstallCommand { static func run(arguments: [String], environment: [String: String], output: (String) -> Void) -> Int32 { 1 } }

// Package e2e drives the built program from outside, as a company and an operator do: by
// HTTP, by its command line, by its files and by kill -9. The scripts lie in one folder per
// chapter of the specification, and in operate for what the operator sees; each is a text
// that a reader without Go can check. README.md lists the commands that scripts may use.
//
// VIDIMUS_BIN names a program that is built already. Scripts say which foreign programs they
// need: where one is absent the script is skipped by name, and fails where CI=true.
package e2e

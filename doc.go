// Package vidimus is the map of the repository; it holds no code.
//
// Vidimus is a self-hosted platform that identifies people and has them sign contracts: by
// video with a trained agent, or automatically. Companies talk to it through a REST API
// that existing integrations already speak.
//
// Code stands in four rings. A file imports its own family and the rings below it, never
// what stands beside or above; layout_test.go fails when one does.
//
//	cmd/vidimus          the one program: wires, decides nothing
//	internal/config      the settings of the server                            ring 3
//	internal/server      who comes to us: gateway, pages, desk, call, sftpd    ring 2
//	internal/delivery    whom we go to: webhook, mail, sms
//	internal/store       the only SQL, for SQLite and PostgreSQL
//	internal/keys        one key per identification, destroyed for good
//	internal/blob        files that are too big for SQL
//	internal/media       calls, pictures and recordings
//	internal/vision      pictures to data
//	internal/pdf         read, stamp and sign documents, write the report
//	internal/trust       who vouches for signers: own authority, time-stamps, remote service
//	internal/service     what we do with it: identify, publish, robot, …       ring 1
//	internal/domain      what is true: no I/O, no clock, no randomness         ring 0
//
// Not every folder of the map is there yet; docs/chapters.md says which chapter of the
// specification is built, and where it lives.
//
// # Where to begin
//
// Read docs/terms.md for the words and docs/chapters.md for the way from a chapter to
// its code. Start the platform with "make run" and send it the command that it prints.
// Then read the transcripts in internal/server/gateway/testdata. Why things are as they
// are stands in docs/decisions.
package vidimus

// Package audit is the trail of who did what to what, when. Each identification, and each
// company for acts that concern no identification, has a chain of its own: an entry's hash
// covers the hash before it, so that a change, a gap or a swap is found. An entry holds
// nothing personal, so that it survives the deletion of what it tells of.
package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"vidimus/internal/domain/company"
)

// Entry is one act.
type Entry struct {
	Chain   string     // an Ident-ID, or "company:" and the company's ID
	Seq     int64      // from one, without gaps
	Company company.ID // whose matter it is
	At      time.Time
	Actor   string // "company", "agent:NAME", "robot", "operator", "system"
	Act     string // what was done, as noun.verb: identification.created
	Detail  string // closed words and numbers that say more: a state, a reason
	Hash    []byte // SHA-256 over the previous hash and every field above
}

// CompanyChain names the chain of acts that concern no identification.
func CompanyChain(id company.ID) string { return "company:" + string(id) }

// Sum returns the entry's hash, given the hash of the entry before it in its chain (nil
// for the first): SHA-256 over each field with its length in front, so that no two
// different entries are written the same way.
func (e Entry) Sum(previous []byte) []byte {
	h := sha256.New()
	field := func(b []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	field(previous)
	field([]byte(e.Chain))
	field(binary.BigEndian.AppendUint64(nil, uint64(e.Seq))) //nolint:gosec // not negative
	field([]byte(e.Company))
	field(binary.BigEndian.AppendUint64(nil, uint64(e.At.UnixMicro())))
	field([]byte(e.Actor))
	field([]byte(e.Act))
	field([]byte(e.Detail))
	return h.Sum(nil)
}

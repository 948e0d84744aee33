// Package audit is the trail of who did what to what, when. Each identification, and each
// company for acts that concern no identification, has a chain of its own: an entry's hash
// covers the hash before it and is keyed, so that a change, a gap, a swap or a forgery is
// found, also when somebody made it who can write to the database. Checkpoints seal what
// was written lately, in a chain of their own, so that a cut is found too. An entry holds
// nothing personal, so that it survives the deletion of what it tells of.
package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"log/slog"
	"strings"
	"time"

	"vidimus/internal/domain/company"
)

// Entry is one act.
type Entry struct {
	Chain   string     // an Ident-ID, "company:" and the company's ID, or Installation
	Seq     int64      // from one, without gaps
	Company company.ID // whose matter it is; empty: the installation's
	At      time.Time
	Actor   string // "company", "agent:NAME", "robot", "operator", "retention", "system"
	Act     string // what was done, as noun.verb: identification.created
	Detail  string // closed words and numbers that say more: a state, a reason
	Hash    []byte // HMAC-SHA256 over the previous hash and every field above
}

// The acts that begin and end the chain of an identification.
const (
	Created  = "identification.created"
	Received = "identification.received" // as a copy
	Deleted  = "identification.deleted"
)

// Key is what hashes are keyed with: 32 secret bytes that do not lie in the database.
type Key []byte

// String withholds the key.
func (Key) String() string { return "key (withheld)" }

// LogValue withholds the key.
func (Key) LogValue() slog.Value { return slog.StringValue("key (withheld)") }

// Installation is the chain of acts that concern no company.
const Installation = "installation"

const companyPrefix = "company:"

// CompanyChain names the chain of acts that concern no identification.
func CompanyChain(id company.ID) string { return companyPrefix + string(id) }

// OfCompany says whether a chain is that of a company.
func OfCompany(chain string) bool { return strings.HasPrefix(chain, companyPrefix) }

// Sum returns the entry's hash, given the hash of the entry before it in its chain (nil
// for the first): HMAC-SHA256 over each field with its length in front, so that no two
// different entries are written the same way.
func (e Entry) Sum(key Key, previous []byte) []byte {
	h := hmac.New(sha256.New, key)
	field(h, previous)
	field(h, []byte(e.Chain))
	field(h, binary.BigEndian.AppendUint64(nil, uint64(e.Seq))) //nolint:gosec // not negative
	field(h, []byte(e.Company))
	field(h, binary.BigEndian.AppendUint64(nil, uint64(e.At.UnixMicro())))
	field(h, []byte(e.Actor))
	field(h, []byte(e.Act))
	field(h, []byte(e.Detail))
	return h.Sum(nil)
}

// field writes b with its length in front.
func field(h hash.Hash, b []byte) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(b)))
	h.Write(n[:])
	h.Write(b)
}

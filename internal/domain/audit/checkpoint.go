package audit

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"
)

// Link is what a checkpoint knows of an entry.
type Link struct {
	Chain string
	Seq   int64
	Hash  []byte
}

// Checkpoint seals entries: none of them can be changed, taken away or added to without its
// root being another. Checkpoints are numbered from one, and each names the hash of the one
// before it.
type Checkpoint struct {
	Number    int64
	At        time.Time
	Entries   int64  // how many it seals
	Root      []byte // of those entries
	Previous  []byte // the hash of the checkpoint before it; empty for the first
	Hash      []byte // SHA-256 of Text
	Signature []byte // Ed25519 over Text
	KeyID     string // of the key that signed
}

// Misfits are Ident-IDs of identifications that do not fit the trail.
type Misfits struct {
	WithoutChain          []string // there, but nothing tells of its creation
	DeletedButThere       []string // there, although the trail tells of its deletion
	BuriedWithoutDeletion []string // a tombstone, but nothing tells of the deletion
	GoneWithoutDeletion   []string // neither there nor a tombstone, although created
}

// Root returns the SHA-256 over the entries, by chain and number. It orders the list.
func Root(links []Link) []byte {
	slices.SortFunc(links, func(a, b Link) int {
		if c := cmp.Compare(a.Chain, b.Chain); c != 0 {
			return c
		}
		return cmp.Compare(a.Seq, b.Seq)
	})
	h := sha256.New()
	for _, l := range links {
		field(h, []byte(l.Chain))
		field(h, binary.BigEndian.AppendUint64(nil, uint64(l.Seq))) //nolint:gosec // not negative
		field(h, l.Hash)
	}
	return h.Sum(nil)
}

// Text returns what is hashed and signed: lines that anybody can write down again from an
// exported checkpoint.
func (c Checkpoint) Text() []byte {
	return fmt.Appendf(nil, "vidimus audit checkpoint\nnumber %d\nat %d\nentries %d\nroot %x\nprevious %x\nkey %s\n",
		c.Number, c.At.UnixMicro(), c.Entries, c.Root, c.Previous, c.KeyID)
}

// Sum returns the checkpoint's hash.
func (c Checkpoint) Sum() []byte {
	sum := sha256.Sum256(c.Text())
	return sum[:]
}

package trail

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"fmt"
	"time"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/fault"
)

// Kind says what is wrong with the trail.
type Kind string

// The kinds of findings.
const (
	Changed     Kind = "changed"            // an entry is not what was written
	Forged      Kind = "forged"             // an entry, or a checkpoint, that was never written
	Gap         Kind = "gap"                // entries are missing in the middle of a chain
	Cut         Kind = "cut"                // sealed entries are missing
	Broken      Kind = "broken"             // a checkpoint is not what was sealed
	NoSeal      Kind = "missing checkpoint" // checkpoints are missing in the middle
	CutEnd      Kind = "cut end"            // the newest checkpoints are missing
	Unmarked    Kind = "unmarked"           // the key store's mark is too old to protect the newest
	Misfit      Kind = "misfit"             // identifications and trail contradict each other
	Contradicts Kind = "contradiction"      // an exported checkpoint says otherwise
)

// Finding is one thing that is wrong, in words.
type Finding struct {
	Kind Kind
	Text string
}

// Range is a range of checkpoints, both ends included.
type Range struct{ From, To int64 }

// Summary is what Verify has seen.
type Summary struct {
	Entries, Chains, Checkpoints int64
	Last                         audit.Checkpoint // zero: there is none
	Unsealed                     int64            // entries after the last checkpoint
	OldestUnsealed               time.Time
	Findings                     int64
	Lost                         []Range // known to be lost, and indeed missing
}

// proof is one run of Verify.
type proof struct {
	*Service
	public  ed25519.PublicKey
	keyID   string
	lost    []Range
	found   func(Finding)
	sum     Summary
	surplus map[int64]bool // checkpoints with more entries than they sealed; a few of them
	missing []stray        // some of the checkpoints that entries name and that are missing
	unnamed int64          // entries that name others
}

func (p *proof) find(kind Kind, format string, args ...any) {
	p.sum.Findings++
	p.found(Finding{kind, fmt.Sprintf(format, args...)})
}

// mostMisfits is how many identifications of each sort of contradiction are named.
const mostMisfits = 1000

// Verify proves the whole trail on one state of the database, beside servers that write, and
// calls found with each thing that is wrong. Checkpoints within lost are known to be missing.
func (s *Service) Verify(ctx context.Context, lost []Range, found func(Finding)) (Summary, error) {
	key, id, err := s.signer.load(ctx)
	if err != nil {
		return Summary{}, err
	}
	p := &proof{Service: s, public: key.Public().(ed25519.PublicKey), keyID: id, lost: lost, found: found, surplus: map[int64]bool{}}
	// Before the database is looked at: what is marked must be there already.
	number, hash, err := s.marks.Marked(ctx)
	if err != nil {
		return p.sum, err
	}
	// Checkpoints are read outside the state, beside what is read within it: they are only
	// ever added.
	err = s.store.Snapshot(ctx, func(state context.Context) error {
		if err := p.seals(ctx, state, number, hash); err != nil {
			return err
		}
		if err := p.chains(state); err != nil {
			return err
		}
		return p.misfits(state)
	})
	if err != nil {
		return p.sum, err
	}
	return p.sum, p.unmarked(ctx)
}

// chains goes through every chain: no gap from one on, and each hash fits.
func (p *proof) chains(state context.Context) error {
	var before audit.Entry
	key := p.store.AuditKey()
	return p.store.AuditEntries(state, func(e audit.Entry, checkpoint int64) error {
		p.sum.Entries++
		if p.sum.Entries == 1 || e.Chain != before.Chain {
			p.sum.Chains++
			before = audit.Entry{Chain: e.Chain}
		}
		previous := before.Hash
		switch {
		case e.Seq < 1:
			p.find(Forged, "chain %s: there cannot be an entry %d", e.Chain, e.Seq)
			return nil
		case e.Seq == before.Seq+2:
			p.find(Gap, "chain %s: entry %d is missing", e.Chain, e.Seq-1)
		case e.Seq > before.Seq+1:
			p.find(Gap, "chain %s: entries %d to %d are missing", e.Chain, before.Seq+1, e.Seq-1)
		case hmac.Equal(e.Hash, e.Sum(key, previous)):
		case checkpoint == 0 || p.surplus[checkpoint]:
			p.find(Forged, "chain %s, entry %d (%s): forged, or changed: its hash does not fit what it says", e.Chain, e.Seq, e.Act)
		default:
			p.find(Changed, "chain %s, entry %d (%s): changed, moved or forged: its hash does not fit what it says", e.Chain, e.Seq, e.Act)
		}
		before = e
		return nil
	})
}

// misfits compares the trail with what there is.
func (p *proof) misfits(state context.Context) error {
	m, err := p.store.AuditMisfits(state, mostMisfits)
	if err != nil {
		return err
	}
	for _, sort := range []struct {
		ids  []string
		text string
	}{
		{m.WithoutChain, "the identification is there, but the entries of its creation are missing"},
		{m.DeletedButThere, "the identification is there, although the trail tells of its deletion"},
		{m.BuriedWithoutDeletion, "the identification was deleted, but the entry of its deletion is missing"},
		{m.GoneWithoutDeletion, "the identification is missing, though nothing tells of a deletion"},
	} {
		for _, id := range sort.ids {
			p.find(Misfit, "chain %s: %s", id, sort.text)
		}
	}
	p.sum.Unsealed, p.sum.OldestUnsealed, err = p.store.UnsealedSince(state)
	return err
}

// Against compares the database with a checkpoint that was exported: it must be there as it
// was then.
func (s *Service) Against(ctx context.Context, e Exported) (Finding, bool, error) {
	key, id, err := s.signer.load(ctx)
	if err != nil {
		return Finding{}, false, err
	}
	c, err := e.checkpoint()
	if err != nil {
		return Finding{Contradicts, err.Error()}, false, nil
	}
	if e.Text != string(c.Text()) {
		return Finding{Contradicts, fmt.Sprintf("the exported checkpoint %d says something else than its own text", c.Number)}, false, nil
	}
	public := key.Public().(ed25519.PublicKey)
	if c.KeyID != id || !bytes.Equal(c.Hash, c.Sum()) || !ed25519.Verify(public, c.Text(), c.Signature) {
		return Finding{Contradicts, fmt.Sprintf("the exported checkpoint %d was not signed by this installation", c.Number)}, false, nil
	}
	there, err := s.store.Checkpoint(ctx, c.Number)
	switch {
	case fault.Is(err, fault.NotFound):
		return Finding{Contradicts, fmt.Sprintf("checkpoint %d was exported, and is missing", c.Number)}, false, nil
	case err != nil:
		return Finding{}, false, err
	case !bytes.Equal(there.Hash, c.Hash):
		return Finding{Contradicts, fmt.Sprintf("checkpoint %d is another one than was exported", c.Number)}, false, nil
	}
	return Finding{}, true, nil
}

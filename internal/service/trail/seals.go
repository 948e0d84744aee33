package trail

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"math"

	"vidimus/internal/domain/audit"
)

// page is how many checkpoints are read at a time.
const page = 1000

// cursor goes through the checkpoints in order.
type cursor struct {
	store Store
	list  []audit.Checkpoint
	after int64
	until int64
}

// next returns the next checkpoint; false at the end.
func (c *cursor) next(ctx context.Context) (audit.Checkpoint, bool, error) {
	if len(c.list) == 0 {
		var err error
		if c.list, err = c.store.Checkpoints(ctx, c.after, page); err != nil || len(c.list) == 0 {
			return audit.Checkpoint{}, false, err
		}
	}
	one := c.list[0]
	c.list, c.after = c.list[1:], one.Number
	return one, one.Number <= c.until, nil
}

// seals goes through every checkpoint with the entries that name it: the numbers are without
// gap from one to the marked one, none is lower, each follows the one before it, is signed, and seals
// exactly the entries that are there; no entry names another one.
func (p *proof) seals(ctx, state context.Context, marked int64, mark []byte) error {
	newest, err := p.store.LastCheckpoint(state)
	if err == nil {
		p.sum.Last = newest
	} else if err := ignoreMissing(err); err != nil {
		return err
	}
	all := &cursor{store: p.store, after: math.MinInt64, until: p.sum.Last.Number}
	var before audit.Checkpoint
	var links []audit.Link
	var of, count int64 // the checkpoint that links belong to, and how many there are
	next, more, err := all.next(ctx)
	if err != nil {
		return err
	}
	// upTo closes every checkpoint before that number, with the links gathered for it.
	upTo := func(number int64) error {
		for more && next.Number < number {
			if next.Number != of {
				links, count = nil, 0
			}
			p.seal(before, next, links, count)
			if next.Number == marked && !bytes.Equal(next.Hash, mark) {
				p.find(Broken, "checkpoint %d is another one than the key store has marked", marked)
			}
			if next.Number > 0 {
				before = next
			}
			if next, more, err = all.next(ctx); err != nil {
				return err
			}
		}
		return nil
	}
	err = p.store.AuditLinks(state, func(checkpoint int64, l audit.Link) error {
		if checkpoint != of {
			if err := upTo(checkpoint); err != nil {
				return err
			}
			of, links, count = checkpoint, nil, 0
		}
		// Also where checkpoints are known to be lost: then their entries are too.
		if !more || next.Number != checkpoint {
			p.stray(checkpoint, l)
			return nil
		}
		// Never more than a checkpoint takes: somebody may have made all name one.
		if count++; count <= maxBatch {
			links = append(links, l)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := upTo(p.sum.Last.Number + 1); err != nil {
		return err
	}
	p.end(before, marked)
	p.strays()
	return nil
}

// stray is the entries that name one checkpoint, which is missing.
type stray struct {
	number, count int64
	first         audit.Link
}

// stray notes an entry that names a checkpoint that is missing; they come in the order of
// those.
func (p *proof) stray(number int64, l audit.Link) {
	last := len(p.missing) - 1
	switch {
	case last >= 0 && p.missing[last].number == number:
		p.missing[last].count++
	case len(p.missing) < page:
		p.missing = append(p.missing, stray{number, 1, l})
	default:
		p.unnamed++
	}
}

// strays tells of those entries, after what is wrong with the checkpoints themselves.
func (p *proof) strays() {
	for _, s := range p.missing {
		p.find(NoSeal, "chain %s, entry %d: it names checkpoint %d, which is missing; %d entries do", s.first.Chain, s.first.Seq, s.number, s.count)
	}
	if p.unnamed > 0 {
		p.find(NoSeal, "%d more entries name checkpoints that are missing", p.unnamed)
	}
}

// end compares the last checkpoint with the mark.
func (p *proof) end(last audit.Checkpoint, marked int64) {
	if marked > last.Number && !p.isLost(last.Number+1, marked) {
		p.find(CutEnd, "the key store has marked checkpoint %d, the last one here is %d: the end of the trail was cut off, or the database was taken back to an earlier state", marked, last.Number)
	}
}

// unmarked looks whether the mark keeps up with the database. It is read after the state
// was: whoever sealed more meanwhile has marked what was there before.
func (p *proof) unmarked(ctx context.Context) error {
	marked, _, err := p.marks.Marked(ctx)
	switch last := p.sum.Last.Number; {
	case err != nil || !late(last, marked):
		return err
	case marked == 0:
		p.find(CutEnd, "the key store has marked no checkpoint: it is not the one that belongs to this database, or it was emptied")
	default:
		p.find(Unmarked, "the key store has marked %d, the database is at %d: nothing after %d is protected", marked, last, marked)
	}
	return nil
}

// isLost says whether those checkpoints are known to be lost, and notes them.
func (p *proof) isLost(from, to int64) bool {
	for _, r := range p.lost {
		if r.From <= from && to <= r.To {
			p.sum.Lost = append(p.sum.Lost, Range{from, to})
			return true
		}
	}
	return false
}

// seal checks one checkpoint against the one before it and its entries.
func (p *proof) seal(before, c audit.Checkpoint, links []audit.Link, count int64) {
	p.sum.Checkpoints++
	missing := c.Number > before.Number+1
	switch {
	case c.Number < 1:
		p.find(Forged, "there cannot be a checkpoint %d", c.Number)
	case missing && p.isLost(before.Number+1, c.Number-1):
	case c.Number == before.Number+2:
		p.find(NoSeal, "checkpoint %d is missing", c.Number-1)
	case missing:
		p.find(NoSeal, "checkpoints %d to %d are missing", before.Number+1, c.Number-1)
	case !bytes.Equal(c.Previous, before.Hash):
		p.find(Broken, "checkpoint %d does not follow checkpoint %d: one of them was changed", c.Number, before.Number)
	}
	switch {
	case c.KeyID != p.keyID || !ed25519.Verify(p.public, c.Text(), c.Signature):
		p.find(Forged, "checkpoint %d was forged or changed: its signature does not fit", c.Number)
	case !bytes.Equal(c.Hash, c.Sum()):
		p.find(Broken, "checkpoint %d was changed: its hash does not fit", c.Number)
	}
	switch {
	case count > c.Entries:
		if len(p.surplus) < page {
			p.surplus[c.Number] = true
		}
		p.find(Forged, "checkpoint %d sealed %d entries, %d name it: entries were forged or moved", c.Number, c.Entries, count)
	case count < c.Entries:
		p.find(Cut, "checkpoint %d sealed %d entries, %d are there: the others were removed", c.Number, c.Entries, count)
	case !bytes.Equal(c.Root, audit.Root(links)):
		p.find(Changed, "checkpoint %d: its entries are not those that it sealed", c.Number)
	}
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/store/rows"
)

// AddDelivery stores a delivery that is to be made; Way must be set.
func (db *DB) AddDelivery(ctx context.Context, d delivery.Delivery) error {
	err := tx(ctx).q.InsertDelivery(ctx, rows.InsertDeliveryParams{
		ID: d.ID, Way: string(d.Way), CompanyID: string(d.Company), IdentificationID: string(d.Identification), Lane: d.Lane, Seq: d.Seq, Event: string(d.Event),
		ResultSeq: d.ResultSeq, KeyID: d.KeyID, Target: d.Target, Hash: d.Hash, CreatedAt: micro(d.CreatedAt), DueAt: micro(d.DueAt),
	})
	if err != nil {
		return fmt.Errorf("storing a delivery: %w", err)
	}
	return nil
}

// ClaimDeliveries gives the node up to most deliveries by that way that are due, of each lane the first
// that is still open, none to one of the busy addresses (of which the first 16 count) and
// none of the companies that have enough under way (of which the first four count), and
// keeps others from them until the lease ends.
func (db *DB) ClaimDeliveries(ctx context.Context, way delivery.Way, node string, now, until time.Time, most int, busy []string, full []company.ID) ([]delivery.Delivery, error) {
	var list []delivery.Delivery
	var b [16]string
	var f [4]string
	copy(b[:], busy)
	for n, c := range full[:min(len(full), len(f))] {
		f[n] = string(c)
	}
	err := db.InTx(ctx, func(ctx context.Context) error {
		rs, err := tx(ctx).q.ClaimDeliveries(ctx, rows.ClaimDeliveriesParams{Way: string(way),
			Node: node, Until: micro(until), Now: micro(now), Most: int32(min(most, 10_000)), //nolint:gosec // bounded
			Busy1: b[0], Busy2: b[1], Busy3: b[2], Busy4: b[3], Busy5: b[4], Busy6: b[5], Busy7: b[6], Busy8: b[7],
			Busy9: b[8], Busy10: b[9], Busy11: b[10], Busy12: b[11], Busy13: b[12], Busy14: b[13], Busy15: b[14], Busy16: b[15],
			Full1: f[0], Full2: f[1], Full3: f[2], Full4: f[3],
		})
		if err != nil {
			return fmt.Errorf("claiming deliveries: %w", err)
		}
		list = deliveries(rs)
		return nil
	})
	if err != nil {
		return nil, err // what was claimed is not ours unless the commit succeeded
	}
	return list, nil
}

// NextDelivery returns when the next delivery by that way is due after now; the zero time: none.
func (db *DB) NextDelivery(ctx context.Context, way delivery.Way, now time.Time) (time.Time, error) {
	n, err := db.read(ctx).NextDelivery(ctx, string(way), micro(now))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, fmt.Errorf("looking for the next delivery: %w", err)
	}
	return at(n), nil
}

// EndDelivery writes the end of a delivery that the node holds: State, Tries, Status,
// Problem, Hash, Bytes, FirstAt, DoneAt. ErrChanged when it holds it no more.
func (db *DB) EndDelivery(ctx context.Context, d delivery.Delivery, node string) error {
	return endDelivery(ctx, tx(ctx).q, d, node)
}

// EndDeliveryNow is EndDelivery in a transaction of its own: on PostgreSQL one round trip.
func (db *DB) EndDeliveryNow(ctx context.Context, d delivery.Delivery, node string) error {
	if db.group == nil {
		return endDelivery(ctx, db.reads, d, node)
	}
	return db.InTx(ctx, func(ctx context.Context) error { return db.EndDelivery(ctx, d, node) })
}

func endDelivery(ctx context.Context, q *rows.Queries, d delivery.Delivery, node string) error {
	n, err := q.EndDelivery(ctx, rows.EndDeliveryParams{
		State: string(d.State), Tries: int64(d.Tries), Status: int64(d.Status), Problem: d.Problem, Hash: append([]byte{}, d.Hash...), Bytes: d.Bytes,
		FirstAt: micro(d.FirstAt), DoneAt: micro(d.DoneAt), ID: d.ID, Node: node,
	})
	return one(n, err, "ending a delivery")
}

// EndDroppedDelivery writes down how a try went during which its identification was deleted:
// State, Tries, Status, Problem, Hash, Bytes, DoneAt. ErrChanged when the delivery was not dropped for that, or another try has begun.
func (db *DB) EndDroppedDelivery(ctx context.Context, d delivery.Delivery) error {
	n, err := tx(ctx).q.EndDroppedDelivery(ctx, rows.EndDroppedDeliveryParams{
		State: string(d.State), Status: int64(d.Status), Problem: d.Problem, Hash: bytesOf(d.Hash), Bytes: d.Bytes, DoneAt: micro(d.DoneAt), ID: d.ID, Tries: int64(d.Tries),
	})
	return one(n, err, "ending a delivery that was dropped")
}

// RetryDelivery puts a delivery that the node holds back until DueAt.
func (db *DB) RetryDelivery(ctx context.Context, d delivery.Delivery, node string) error {
	n, err := tx(ctx).q.RetryDelivery(ctx, rows.RetryDeliveryParams{
		Tries: int64(d.Tries), Status: int64(d.Status), Problem: d.Problem, FirstAt: micro(d.FirstAt), DueAt: micro(d.DueAt), ID: d.ID, Node: node,
	})
	return one(n, err, "putting a delivery back")
}

// SupersedeDeliveries ends those webhooks of the identification that wait for a retry, and
// returns them. One that is being tried is left alone.
func (db *DB) SupersedeDeliveries(ctx context.Context, id ident.ID, now time.Time) ([]delivery.Delivery, error) {
	rs, err := tx(ctx).q.SupersedeDeliveries(ctx, micro(now), string(id), micro(now))
	if err != nil {
		return nil, fmt.Errorf("superseding deliveries: %w", err)
	}
	return deliveries(rs), nil
}

// DropDeliveries ends every open delivery of the identification, without a word to anybody.
// The problem says whether a try was under way, which may have arrived.
func (db *DB) DropDeliveries(ctx context.Context, id ident.ID, now time.Time) error {
	if err := tx(ctx).q.DropDeliveries(ctx, micro(now), micro(now), string(id)); err != nil {
		return fmt.Errorf("dropping deliveries: %w", err)
	}
	return nil
}

// OpenDeliveries counts the identification's deliveries that are still to be made.
func (db *DB) OpenDeliveries(ctx context.Context, id ident.ID) (int, error) {
	n, err := db.read(ctx).OpenDeliveries(ctx, string(id))
	if err != nil {
		return 0, fmt.Errorf("counting deliveries: %w", err)
	}
	return int(n), nil
}

// Delivery returns one, or fault.NotFound.
func (db *DB) Delivery(ctx context.Context, id string) (delivery.Delivery, error) {
	r, err := db.read(ctx).Delivery(ctx, id)
	return oneDelivery(r), found(err, "a delivery")
}

// Deliveries returns a company's by that way (empty: all), the newest first, from after the
// given place on.
func (db *DB) Deliveries(ctx context.Context, c company.ID, way delivery.Way, before time.Time, beforeID string, most int) ([]delivery.Delivery, error) {
	p := rows.DeliveriesParams{CompanyID: string(c), Way: string(way), BeforeAt: micro(before), BeforeID: beforeID, Most: int32(min(most, 10_000))} //nolint:gosec // bounded
	if before.IsZero() {
		p.BeforeAt = 1<<63 - 1
	}
	rs, err := db.read(ctx).Deliveries(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("listing deliveries: %w", err)
	}
	return deliveries(rs), nil
}

// DeliveriesOf returns those of one identification, the first one first.
func (db *DB) DeliveriesOf(ctx context.Context, c company.ID, id ident.ID) ([]delivery.Delivery, error) {
	rs, err := db.read(ctx).DeliveriesOf(ctx, string(id), string(c))
	if err != nil {
		return nil, fmt.Errorf("listing deliveries: %w", err)
	}
	return deliveries(rs), nil
}

// BeginTry notes, before it is made, that a delivery is tried whose end may never be known:
// Tries, Problem and FirstAt. ErrChanged when the node does not hold it.
func (db *DB) BeginTry(ctx context.Context, d delivery.Delivery, node string) error {
	n, err := tx(ctx).q.BeginTry(ctx, rows.BeginTryParams{Tries: int64(d.Tries), Problem: d.Problem, FirstAt: micro(d.FirstAt), ID: d.ID, Node: node})
	return one(n, err, "beginning a try")
}

// DropTry removes what AddTry noted of a try that succeeded after all.
func (db *DB) DropTry(ctx context.Context, id string, number int) error {
	if err := tx(ctx).q.DeleteTry(ctx, id, int64(number)); err != nil {
		return fmt.Errorf("forgetting a try: %w", err)
	}
	return nil
}

// AddTry notes a failed try, or how one went that had been noted when it began.
func (db *DB) AddTry(ctx context.Context, d delivery.Delivery, t delivery.Try) error {
	err := tx(ctx).q.InsertTry(ctx, rows.InsertTryParams{
		DeliveryID: d.ID, Number: int64(t.Number), CompanyID: string(d.Company), At: micro(t.At), Status: int64(t.Status), Problem: t.Problem, Took: t.Took.Microseconds(),
	})
	if err != nil {
		return fmt.Errorf("noting a try: %w", err)
	}
	return nil
}

// Tries returns the failed tries of a delivery, the first one first.
func (db *DB) Tries(ctx context.Context, id string) ([]delivery.Try, error) {
	rs, err := db.read(ctx).Tries(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("reading tries: %w", err)
	}
	list := make([]delivery.Try, len(rs))
	for n, r := range rs {
		list[n] = delivery.Try{Number: int(r.Number), At: at(r.At), Status: int(r.Status), Problem: r.Problem, Took: time.Duration(r.Took) * time.Microsecond}
	}
	return list, nil
}

type deliveryRow interface {
	rows.DeliveryRow | rows.ClaimDeliveriesRow | rows.SupersedeDeliveriesRow | rows.DeliveriesRow | rows.DeliveriesOfRow
}

func deliveries[R deliveryRow](rs []R) []delivery.Delivery {
	list := make([]delivery.Delivery, len(rs))
	for n, r := range rs {
		list[n] = oneDelivery(r)
	}
	return list
}

func oneDelivery[R deliveryRow](from R) delivery.Delivery {
	r := rows.DeliveryRow(from)
	return delivery.Delivery{
		ID: r.ID, Way: delivery.Way(r.Way), Company: company.ID(r.CompanyID), Identification: ident.ID(r.IdentificationID), Lane: r.Lane, Seq: r.Seq, Event: company.Event(r.Event),
		ResultSeq: r.ResultSeq, KeyID: r.KeyID, Target: r.Target, State: delivery.State(r.State), Tries: int(r.Tries), Replayed: int(r.Replayed), Status: int(r.Status), Problem: r.Problem, Hash: r.Hash, Bytes: r.Bytes,
		CreatedAt: at(r.CreatedAt), FirstAt: at(r.FirstAt), DueAt: at(r.DueAt), DoneAt: at(r.DoneAt),
	}
}

// ReplayDelivery has a delivery made once more, from due on. fault.NotFound when the company
// has no such one, or it is still to be made anyway.
func (db *DB) ReplayDelivery(ctx context.Context, c company.ID, id string, due time.Time) error {
	n, err := tx(ctx).q.ReplayDelivery(ctx, micro(due), id, string(c))
	if err != nil {
		return fmt.Errorf("replaying a delivery: %w", err)
	}
	if n == 0 {
		return fault.New(fault.NotFound, "no such delivery that has ended")
	}
	return nil
}

// EraseCompanyDeliveries removes a company's ledger: deliveries with their tries, and what
// it fetched.
func (db *DB) EraseCompanyDeliveries(ctx context.Context, c company.ID, until time.Time) error {
	q := tx(ctx).q
	if err := q.DeleteCompanyTries(ctx, string(c), micro(until)); err != nil {
		return fmt.Errorf("erasing a company's tries: %w", err)
	}
	if err := q.DeleteCompanyDeliveries(ctx, string(c), micro(until)); err != nil {
		return fmt.Errorf("erasing a company's deliveries: %w", err)
	}
	if err := q.DeleteCompanyHandOvers(ctx, string(c), micro(until)); err != nil {
		return fmt.Errorf("erasing a company's hand-overs: %w", err)
	}
	if err := q.DeleteCompanyCopied(ctx, string(c), micro(until)); err != nil {
		return fmt.Errorf("erasing a company's copies: %w", err)
	}
	return nil
}

// DoubtDeliveries gives every delivery that is still to be made and was created until then
// that problem, and says how many they are.
func (db *DB) DoubtDeliveries(ctx context.Context, until time.Time, problem string) (int64, error) {
	n, err := tx(ctx).q.DoubtDeliveries(ctx, problem, micro(until))
	if err != nil {
		return 0, fmt.Errorf("marking deliveries: %w", err)
	}
	return n, nil
}

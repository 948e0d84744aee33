package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/job"
	"vidimus/internal/store/rows"
)

// AddJob stores a job in the transaction that causes it.
func (db *DB) AddJob(ctx context.Context, j job.Job) error {
	if j.Lane == "" {
		j.Lane = j.ID
	}
	err := tx(ctx).q.InsertJob(ctx, rows.InsertJobParams{
		ID: j.ID, Kind: string(j.Kind), Lane: j.Lane, CompanyID: string(j.Company), IdentificationID: string(j.Identification),
		Payload: j.Payload, CreatedAt: micro(j.CreatedAt), DueAt: micro(j.DueAt),
	})
	if err != nil {
		return fmt.Errorf("storing a job: %w", err)
	}
	return nil
}

// ClaimJobs gives the node up to most jobs that are due, one of each lane at most, and
// keeps others from them until the lease ends.
func (db *DB) ClaimJobs(ctx context.Context, node string, now, until time.Time, most int) ([]job.Job, error) {
	var list []job.Job
	err := db.InTx(ctx, func(ctx context.Context) error {
		rs, err := tx(ctx).q.ClaimJobs(ctx, rows.ClaimJobsParams{Node: node, Until: micro(until), Now: micro(now), Most: int32(min(most, 10_000))}) //nolint:gosec // bounded
		if err != nil {
			return fmt.Errorf("claiming jobs: %w", err)
		}
		list = make([]job.Job, len(rs))
		for n, r := range rs {
			list[n] = job.Job{
				ID: r.ID, Kind: job.Kind(r.Kind), Lane: r.Lane, Company: company.ID(r.CompanyID), Identification: ident.ID(r.IdentificationID),
				Payload: r.Payload, Tries: int(r.Tries), CreatedAt: at(r.CreatedAt), DueAt: at(r.DueAt),
			}
		}
		return nil
	})
	if err != nil {
		return nil, err // what was claimed is not ours unless the commit succeeded
	}
	return list, nil
}

// NextJob returns when the next job is due after now; the zero time: none.
func (db *DB) NextJob(ctx context.Context, now time.Time) (time.Time, error) {
	n, err := db.read(ctx).NextJob(ctx, micro(now))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, fmt.Errorf("looking for the next job: %w", err)
	}
	return at(n), nil
}

// FinishJob removes a job that the node holds; ErrChanged when it holds it no more. Called
// in a transaction, what the job did and its end are one.
func (db *DB) FinishJob(ctx context.Context, id, node string) error {
	n, err := tx(ctx).q.FinishJob(ctx, id, node)
	return one(n, err, "finishing a job")
}

// RetryJob puts a job back until due.
func (db *DB) RetryJob(ctx context.Context, id, node string, due time.Time) error {
	n, err := tx(ctx).q.RetryJob(ctx, micro(due), id, node)
	return one(n, err, "putting a job back")
}

// ExtendJobs keeps from others, until then, those of the jobs that the node still holds.
func (db *DB) ExtendJobs(ctx context.Context, node string, ids []string, until time.Time) error {
	return db.extend(ctx, ids, func(q *rows.Queries, c [leaseChunk]string) error {
		return q.ExtendJobs(ctx, rows.ExtendJobsParams{
			Until: micro(until), Node: node, Id1: c[0], Id2: c[1], Id3: c[2], Id4: c[3], Id5: c[4], Id6: c[5], Id7: c[6], Id8: c[7],
			Id9: c[8], Id10: c[9], Id11: c[10], Id12: c[11], Id13: c[12], Id14: c[13], Id15: c[14], Id16: c[15],
		})
	})
}

// ExtendDeliveries keeps from others, until then, those of the deliveries that the node
// still holds.
func (db *DB) ExtendDeliveries(ctx context.Context, node string, ids []string, until time.Time) error {
	return db.extend(ctx, ids, func(q *rows.Queries, c [leaseChunk]string) error {
		return q.ExtendDeliveries(ctx, rows.ExtendDeliveriesParams{
			Until: micro(until), Node: node, Id1: c[0], Id2: c[1], Id3: c[2], Id4: c[3], Id5: c[4], Id6: c[5], Id7: c[6], Id8: c[7],
			Id9: c[8], Id10: c[9], Id11: c[10], Id12: c[11], Id13: c[12], Id14: c[13], Id15: c[14], Id16: c[15],
		})
	})
}

// leaseChunk is how many leases one statement extends.
const leaseChunk = 16

func (db *DB) extend(ctx context.Context, ids []string, do func(q *rows.Queries, chunk [leaseChunk]string) error) error {
	return db.InTx(ctx, func(ctx context.Context) error {
		for ids := range slices.Chunk(ids, leaseChunk) {
			var chunk [leaseChunk]string
			copy(chunk[:], ids)
			if err := do(tx(ctx).q, chunk); err != nil {
				return fmt.Errorf("extending leases: %w", err)
			}
		}
		return nil
	})
}

// FreeLeases takes every lease back. Only for the start of the one node that can use this
// database.
func (db *DB) FreeLeases(ctx context.Context) error {
	return db.InTx(ctx, func(ctx context.Context) error {
		q := tx(ctx).q
		if err := q.FreeJobs(ctx); err != nil {
			return fmt.Errorf("freeing leases: %w", err)
		}
		if err := q.FreeDeliveries(ctx); err != nil {
			return fmt.Errorf("freeing leases: %w", err)
		}
		return nil
	})
}

// DropJobs removes the jobs of an identification, but those of the kind to keep and those
// that destroy something (their kind ends in .forget).
func (db *DB) DropJobs(ctx context.Context, id ident.ID, keep job.Kind) error {
	if err := tx(ctx).q.DropJobs(ctx, string(id), string(keep)); err != nil {
		return fmt.Errorf("dropping jobs: %w", err)
	}
	return nil
}

// Overdue counts jobs and deliveries that were due before then and that nobody has in hand.
func (db *DB) Overdue(ctx context.Context, before time.Time) (int, error) {
	n, err := db.read(ctx).Overdue(ctx, micro(before))
	if err != nil {
		return 0, fmt.Errorf("looking for overdue work: %w", err)
	}
	return int(n), nil
}

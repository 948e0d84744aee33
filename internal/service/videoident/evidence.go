package videoident

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"time"

	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/service/account"
	"vidimus/internal/service/dossier"
	"vidimus/internal/service/vault"
)

// Piece is something to be added to the evidence: What is one of evidence.Reading, Image,
// Recording, Check, Code and Answer; Bytes are the picture or the recording. Their sizes
// and sums are filled in by Record.
type Piece struct {
	What  any
	Bytes []byte
}

// Record adds pieces to the evidence of the open attempt: all or none. fault.Precondition
// when no attempt is in process.
func (s *Service) Record(ctx context.Context, c Case, pieces ...Piece) error {
	i, err := s.store.IdentificationByID(ctx, c.Company, c.ID)
	if err != nil {
		return err
	}
	if i.State != ident.InProcess {
		return fault.New(fault.Precondition, "no attempt is in process")
	}
	key, err := s.keys.Get(ctx, i.KeyID)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	items := make([]evidence.Item, len(pieces))
	for n, p := range pieces {
		if items[n], err = s.seal(ctx, key, i, p, now); err != nil {
			return err
		}
	}
	return s.retry(ctx, c, func(_ *account.Account, i ident.Identification) error {
		from, err := s.stillOpen(i, items)
		if err != nil {
			return err
		}
		last, err := s.lastItem(ctx, i)
		if err != nil {
			return err
		}
		i.ChangedAt = now
		return s.store.InTx(ctx, func(ctx context.Context) error {
			// Moving it to where it is keeps two writers from taking the same numbers.
			if err := s.store.MoveIdentification(ctx, i, from); err != nil {
				return err
			}
			for n, item := range items {
				item.Seq = last + 1 + n
				if err := s.store.AddEvidence(ctx, item); err != nil {
					return err
				}
			}
			for _, p := range pieces {
				if code, ok := p.What.(evidence.Code); ok && !code.EnteredAt.IsZero() {
					if err := s.audit(ctx, i, code.EnteredAt, "user", "code.entered", strconv.Itoa(len(code.Documents))); err != nil {
						return err
					}
				}
			}
			return s.audit(ctx, i, now, "agent:"+i.Agent, "evidence.recorded", strconv.Itoa(len(items)))
		})
	})
}

func (s *Service) stillOpen(i ident.Identification, items []evidence.Item) (ident.State, error) {
	if i.State != ident.InProcess || len(items) > 0 && items[0].Attempt != i.Attempts {
		return "", fault.New(fault.Precondition, "no attempt is in process")
	}
	return i.State, nil
}

func (s *Service) lastItem(ctx context.Context, i ident.Identification) (int, error) {
	items, err := s.store.Evidence(ctx, i.ID, i.Attempts)
	if err != nil || len(items) == 0 {
		return 0, err
	}
	return items[len(items)-1].Seq, nil
}

// seal stores the file of a piece, if it has one, and seals what is said about it.
func (s *Service) seal(ctx context.Context, key vault.Key, i ident.Identification, p Piece, now time.Time) (evidence.Item, error) {
	item := evidence.Item{Identification: i.ID, Attempt: i.Attempts, TakenAt: now}
	sum := sha256.Sum256(p.Bytes)
	switch what := p.What.(type) {
	case evidence.Image:
		what.Size, what.CRC32 = int64(len(p.Bytes)), crc32.ChecksumIEEE(p.Bytes)
		item.Kind, item.Hash, p.What = evidence.KindImage, sum[:], what
	case evidence.Recording:
		what.Size, what.CRC32 = int64(len(p.Bytes)), crc32.ChecksumIEEE(p.Bytes)
		item.Kind, item.Hash, p.What = evidence.KindRecording, sum[:], what
	case evidence.Reading:
		item.Kind = evidence.KindReading
	case evidence.Check:
		item.Kind = evidence.KindCheck
	case evidence.Code:
		item.Kind = evidence.KindCode
	case evidence.Answer:
		item.Kind = evidence.KindAnswer
	default:
		return item, fmt.Errorf("%T is no evidence", p.What)
	}
	plain, err := json.Marshal(p.What)
	if err != nil {
		return item, fmt.Errorf("writing evidence: %w", err)
	}
	if item.Hash == nil {
		sum := sha256.Sum256(plain)
		item.Hash = sum[:]
		item.Sealed = key.Seal(plain, vault.About(dossier.OfItem(item), i.ID))
		return item, nil
	}
	item.Blob = dossier.KeyFolder(i) + "/" + s.newID()
	item.Sealed = key.Seal(plain, vault.About(dossier.OfItem(item), i.ID))
	return item, s.files.Create(ctx, item.Blob, func(w io.Writer) error {
		sealed, err := key.Writer(w, dossier.AboutFile(item.Blob))
		if err != nil {
			return err
		}
		if _, err := sealed.Write(p.Bytes); err != nil {
			return err
		}
		return sealed.Close()
	})
}

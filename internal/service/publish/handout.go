package publish

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/job"
	"vidimus/internal/domain/person"
	"vidimus/internal/domain/result"
	"vidimus/internal/service/account"
	"vidimus/internal/service/dossier"
	"vidimus/internal/service/vault"
)

// hasResult says whether the company may see the last result of i: a final one, that of an
// abort or a cancellation, or, with realtime results, a preliminary one.
func hasResult(a *account.Account, i ident.Identification) bool {
	switch {
	case i.ResultSeq == 0:
		return false
	case i.State.Final(), i.State == ident.Aborted, i.State == ident.Canceled:
		return true
	default:
		return i.State.Preliminary() && a.Realtime
	}
}

// JSON returns the single result of 8.3.3.2. fault.NotFound until there is one to hand out.
func (s *Service) JSON(ctx context.Context, a *account.Account, i ident.Identification) ([]byte, error) {
	if i.State == ident.Canceled {
		return s.canceledJSON(ctx, i)
	}
	if !hasResult(a, i) {
		return nil, fault.Of(fault.NotFound)
	}
	r, err := s.store.Result(ctx, i.ID, i.ResultSeq)
	if err != nil {
		return nil, err
	}
	key, err := s.keys.Get(ctx, i.KeyID)
	if err != nil {
		return nil, err
	}
	return openJSON(key, i.ID, r.Seq, r.JSON)
}

// canceledJSON returns what is left of a canceled one: all that its webhook carries until
// that is delivered, then the process alone.
func (s *Service) canceledJSON(ctx context.Context, i ident.Identification) ([]byte, error) {
	if i.ResultSeq == 0 {
		return emptied(i), nil
	}
	r, err := s.store.Result(ctx, i.ID, i.ResultSeq)
	if fault.Is(err, fault.NotFound) {
		return emptied(i), nil
	}
	if err != nil {
		return nil, err
	}
	key, err := s.keys.Get(ctx, i.KeyID)
	if fault.Is(err, fault.NotFound) {
		return emptied(i), nil
	}
	if err != nil {
		return nil, err
	}
	return openJSON(key, i.ID, r.Seq, r.JSON)
}

// emptied is an entry made of what is stored in clear.
func emptied(i ident.Identification) []byte { return result.BuildFailed(process(i)).JSON() }

func process(i ident.Identification) result.Input {
	return result.Input{
		Result: i.Result, AgentName: i.Agent, IdentificationTime: i.FinishedAt, Type: i.Channel, TransactionNumber: i.Number,
		CompanyID: string(i.Company), ID: i.ID, Reason: i.Reason,
	}
}

// Place is where a page of a list begins: after this one.
type Place struct {
	CreatedAt time.Time
	ID        ident.ID
}

// pageSize is how many entries are read at a time: enough to make the reading cheap, few
// enough to keep memory flat.
const pageSize = 200

// List calls each with the JSON of every identification in the list, newest creation
// first, from after the place on, at most of them (zero: all). It returns the place of the
// last one, and whether more follow. What cannot be read is left out, and stands in the log.
func (s *Service) List(ctx context.Context, a *account.Account, l ident.List, after Place, most int, each func(entry []byte) error) (Place, bool, error) {
	for sent := 0; ; {
		want := pageSize
		if most > 0 {
			want = min(want, most-sent+1) // one more, to know whether more follow
		}
		page, err := s.store.ListIdentifications(ctx, a.ID, l, after.CreatedAt, after.ID, want)
		if err != nil {
			return after, false, err
		}
		full := len(page) == want
		if most > 0 && sent+len(page) > most {
			page = page[:most-sent]
		}
		if err := s.entries(ctx, a, page, each); err != nil {
			return after, false, err
		}
		sent += len(page)
		if len(page) > 0 {
			last := page[len(page)-1]
			after = Place{CreatedAt: last.CreatedAt, ID: last.ID}
		}
		switch {
		case most > 0 && sent == most:
			return after, full, nil
		case !full:
			return after, false, nil
		}
	}
}

func (s *Service) entries(ctx context.Context, a *account.Account, page []ident.Listed, each func([]byte) error) error {
	ids := make([]string, len(page))
	for n, i := range page {
		ids[n] = i.KeyID
	}
	keys, err := s.keys.GetMany(ctx, ids)
	if err != nil {
		return err
	}
	for _, i := range page {
		b, err := s.listEntry(a, i, keys[i.KeyID])
		if err != nil {
			s.damaged(ctx, a, i.ID, err)
			continue
		}
		if b == nil {
			continue
		}
		if err := each(b); err != nil {
			return err
		}
	}
	return nil
}

// listEntry makes one entry. One whose key was destroyed while the list was read is
// skipped, unless it is a canceled one.
func (s *Service) listEntry(a *account.Account, i ident.Listed, key vault.Key) ([]byte, error) {
	switch {
	case key == nil || i.State == ident.Canceled && i.JSON == nil:
		if i.State == ident.Canceled {
			return emptied(i.Identification), nil
		}
		return nil, nil
	case hasResult(a, i.Identification) && i.JSON != nil:
		return openJSON(key, i.ID, i.ResultSeq, i.JSON)
	}
	application, err := vault.Open[person.Application](key, dossier.Application, i.ID, i.Sealed)
	if err != nil {
		return nil, err
	}
	in := result.Input{Type: i.Channel, TransactionNumber: i.Number, CompanyID: string(i.Company), ID: i.ID, Application: application}
	return result.BuildPending(in).JSON(), nil
}

// ZIP is the archive of a result, ready to be sent.
type ZIP struct {
	Name string // with .zip
	Size int64

	archive archive
	stored  result.Stored
	key     vault.Key
	keyID   string    // empty while the key is not kept yet
	opened  time.Time // when the key was read
	service *Service
	id      ident.ID
	company company.ID
}

// ZIP returns the archive of 8.3.3.1. fault.NotFound until there is a result with files.
func (s *Service) ZIP(ctx context.Context, a *account.Account, i ident.Identification) (*ZIP, error) {
	if !hasResult(a, i) || i.State == ident.Aborted || i.State == ident.Canceled {
		return nil, fault.Of(fault.NotFound)
	}
	r, err := s.store.Result(ctx, i.ID, i.ResultSeq)
	if err != nil {
		return nil, err
	}
	key, err := s.keys.Get(ctx, i.KeyID)
	if err != nil {
		return nil, err
	}
	return s.archived(i, r, i.KeyID, key)
}

// archived is the archive of a result that is there.
func (s *Service) archived(i ident.Identification, r result.Stored, keyID string, key vault.Key) (*ZIP, error) {
	z := &ZIP{stored: r, key: key, keyID: keyID, opened: s.clock.Now(), service: s, id: i.ID, company: i.Company}
	if err := json.Unmarshal([]byte(r.Archive), &z.archive); err != nil {
		return nil, fmt.Errorf("reading the list of files: %w", err)
	}
	bare, err := openJSON(key, i.ID, r.Seq, r.JSON)
	if err != nil {
		return nil, err
	}
	if z.Name, err = nameOf(bare); err != nil {
		return nil, err
	}
	z.Size = z.archive.Archive.Size()
	return z, nil
}

// Hash returns the SHA-256 of the whole archive. It was computed when the result was
// rendered; of archives that are older than that it is computed here, which reads them.
func (z *ZIP) Hash(ctx context.Context) ([]byte, error) {
	if z.archive.Archive.SHA256 != "" {
		sum, err := hex.DecodeString(z.archive.Archive.SHA256)
		if err != nil {
			return nil, fmt.Errorf("reading the hash of an archive: %w", err)
		}
		return sum, nil
	}
	sum := sha256.New()
	if err := z.Write(ctx, sum); err != nil {
		return nil, err
	}
	return sum.Sum(nil), nil
}

// current returns the key as it is now: fault.NotFound once it was destroyed.
func (z *ZIP) current(ctx context.Context) (vault.Key, error) {
	if z.keyID == "" {
		return z.key, nil
	}
	return z.service.keys.Get(ctx, z.keyID)
}

// Write writes the archive, a member at a time; only one block of one file is in memory.
// After the key was destroyed no further member is begun: fault.NotFound.
func (z *ZIP) Write(ctx context.Context, w io.Writer) error {
	n := -1 // members come in order
	return z.archive.Archive.Write(w, func(string) (io.ReadCloser, error) {
		n++
		return z.open(ctx, z.archive.Sources[n])
	})
}

func (z *ZIP) open(ctx context.Context, source string) (io.ReadCloser, error) {
	key, err := z.current(ctx)
	if err != nil {
		return nil, err
	}
	switch source {
	case fromJSON:
		bare, err := openJSON(key, z.id, z.stored.Seq, z.stored.JSON)
		return reader(result.WrappedJSON(bare), err)
	case fromXML:
		return reader(key.Open(z.stored.XML, about(aboutXML, z.id, z.stored.Seq)))
	case fromSig:
		return reader(key.Open(z.stored.Signature, about(aboutSig, z.id, z.stored.Seq)))
	default:
		return z.service.openFile(ctx, key, source)
	}
}

func reader(b []byte, err error) (io.ReadCloser, error) {
	if err != nil {
		return nil, fmt.Errorf("opening a result: %w", err)
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

// Cancel forgets what a canceled identification leaves behind beyond its webhook's body:
// its old key first, then its files, documents, evidence and earlier results. before is the
// identification as it was; its attempts stay, without anything personal. Called after the
// transaction that canceled it; the job that the transaction left calls it again.
func (s *Service) Cancel(ctx context.Context, before ident.Identification) error {
	if err := s.keys.Destroy(ctx, before.KeyID); err != nil {
		return err
	}
	if err := s.files.DeletePrefix(ctx, dossier.KeyFolder(before)); err != nil {
		return err
	}
	return s.store.InTx(ctx, func(ctx context.Context) error {
		if err := s.store.EraseDocuments(ctx, before.ID, before.KeyID); err != nil {
			return err
		}
		return s.store.EraseEvidence(ctx, before.ID, before.Attempts, before.ResultSeq)
	})
}

// HandleStrip takes what was kept of a canceled identification for its webhook, once that
// is delivered or given up. The payload is the key it was kept under.
func (s *Service) HandleStrip(ctx context.Context, j job.Job) error {
	i, err := s.store.IdentificationByID(ctx, j.Company, j.Identification)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if i.State != ident.Canceled || i.KeyID != j.Payload {
		return nil // opened again: it has another key now
	}
	open, err := s.store.OpenDeliveries(ctx, i.ID)
	if err != nil || open > 0 {
		return err // the last of them leaves the job anew
	}
	if err := s.keys.Destroy(ctx, i.KeyID); err != nil {
		return err
	}
	return s.store.InTx(ctx, func(ctx context.Context) error {
		return s.store.EraseEvidence(ctx, i.ID, i.Attempts, i.ResultSeq)
	})
}

package trail

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/fault"
)

// Exported is a checkpoint with all that it takes to verify it elsewhere: Text is what was
// signed, Signature is Ed25519 over it under PublicKey, Hash its SHA-256. As one line of
// JSON it is what `vidimus audit checkpoints` writes.
type Exported struct {
	Number    int64     `json:"number"`
	At        time.Time `json:"at"`
	Entries   int64     `json:"entries"`
	Root      string    `json:"root"`     // hexadecimal
	Previous  string    `json:"previous"` // hexadecimal; empty for the first
	Hash      string    `json:"hash"`     // hexadecimal
	Text      string    `json:"text"`
	Signature string    `json:"signature"` // base64
	KeyID     string    `json:"key"`
	PublicKey string    `json:"publickey"` // PEM
}

// Export calls each with every checkpoint that has a higher number than since, in order.
func (s *Service) Export(ctx context.Context, since int64, each func(Exported) error) error {
	public, err := s.SigningKey(ctx)
	if err != nil {
		return err
	}
	for {
		list, err := s.store.Checkpoints(ctx, since, page)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, c := range list {
			since = c.Number
			err := each(Exported{
				Number: c.Number, At: c.At, Entries: c.Entries, Root: hex.EncodeToString(c.Root), Previous: hex.EncodeToString(c.Previous),
				Hash: hex.EncodeToString(c.Hash), Text: string(c.Text()), Signature: base64.StdEncoding.EncodeToString(c.Signature), KeyID: c.KeyID, PublicKey: public,
			})
			if err != nil {
				return err
			}
		}
	}
}

// checkpoint reads what was exported, but for the text, which follows from the rest.
func (e Exported) checkpoint() (audit.Checkpoint, error) {
	c := audit.Checkpoint{Number: e.Number, At: e.At, Entries: e.Entries, KeyID: e.KeyID}
	var errs [4]error
	c.Root, errs[0] = hex.DecodeString(e.Root)
	c.Previous, errs[1] = hex.DecodeString(e.Previous)
	c.Hash, errs[2] = hex.DecodeString(e.Hash)
	c.Signature, errs[3] = base64.StdEncoding.DecodeString(e.Signature)
	if errors.Join(errs[:]...) != nil {
		return c, fmt.Errorf("the exported checkpoint %d cannot be read", e.Number)
	}
	return c, nil
}

// Chain returns the entries of an identification, also of a deleted one, or, for an empty
// id, of the company itself. fault.NotFound when the company has no such chain.
func (s *Service) Chain(ctx context.Context, c company.ID, id string) ([]audit.Entry, error) {
	if id == "" {
		id = audit.CompanyChain(c)
	}
	list, err := s.store.AuditChain(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 || list[0].Company != c {
		return nil, fault.Of(fault.NotFound)
	}
	return list, nil
}

// ignoreMissing returns nil for fault.NotFound.
func ignoreMissing(err error) error {
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

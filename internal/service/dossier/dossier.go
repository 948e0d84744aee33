// Package dossier opens everything that is known of one identification: what the company
// sent, what the last attempt left behind, the verdict and the review. All of it is
// personal; whoever opens it for a person writes that into the audit trail.
package dossier

import (
	"context"
	"fmt"
	"strconv"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/person"
	"vidimus/internal/domain/question"
	"vidimus/internal/service/vault"
)

// Names of sealed values, which bind them to what they are.
const (
	Application = "application"
	Evidence    = "evidence"
	Verdict     = "verdict"
	Review      = "review"
)

// OfAttempt names a sealed value of one attempt, so that nobody who can write to the
// database can pass the evidence or the verdict of one attempt off as that of another.
func OfAttempt(what string, attempt int) string { return what + "/" + strconv.Itoa(attempt) }

// OfItem names an item of evidence, with the file that it speaks of.
func OfItem(i evidence.Item) string { return OfAttempt(Evidence, i.Attempt) + "/" + i.Blob }

// Dossier is one identification, opened.
type Dossier struct {
	ident.Identification
	Key         vault.Key
	Application person.Application
	Attempt     ident.Attempt // the last one; zero: none
	Evidence    evidence.Set  // of the last attempt
	Verdict     *evidence.Verdict
	Review      *evidence.Review
	Questions   []question.Definition // nil: those of the account it began with
	Signed      []SignedFile          // what the result hands out of its documents
}

// SignedFile is a file that came of signing: a document, or the record of it.
type SignedFile struct {
	Name  string // among the files of the result
	Blob  string
	Size  int64
	CRC32 uint32 // IEEE
	Hash  []byte // SHA-256
}

// Store keeps the parts.
type Store interface {
	Attempts(ctx context.Context, id ident.ID) ([]ident.Attempt, error)
	Evidence(ctx context.Context, id ident.ID, attempt int) ([]evidence.Item, error)
	Judgements(ctx context.Context, id ident.ID, attempt int) ([]evidence.Judgement, error)
}

// Reader opens dossiers.
type Reader struct {
	store Store
	keys  vault.Keys
}

// NewReader returns a reader.
func NewReader(store Store, keys vault.Keys) *Reader { return &Reader{store: store, keys: keys} }

// Open opens i. fault.NotFound when its key was destroyed.
func (r *Reader) Open(ctx context.Context, i ident.Identification) (*Dossier, error) {
	key, err := r.keys.Get(ctx, i.KeyID)
	if err != nil {
		return nil, err
	}
	d := &Dossier{Identification: i, Key: key}
	if len(i.Sealed) > 0 {
		if d.Application, err = vault.Open[person.Application](key, Application, i.ID, i.Sealed); err != nil {
			return nil, err
		}
	}
	attempts, err := r.store.Attempts(ctx, i.ID)
	if err != nil || len(attempts) == 0 {
		return d, err
	}
	d.Attempt = attempts[len(attempts)-1]
	if err := r.openEvidence(ctx, d); err != nil {
		return nil, err
	}
	return d, r.openJudgements(ctx, d)
}

func (r *Reader) openEvidence(ctx context.Context, d *Dossier) error {
	items, err := r.store.Evidence(ctx, d.ID, d.Attempt.Number)
	if err != nil {
		return err
	}
	for _, item := range items {
		if err := d.Add(item); err != nil {
			return err
		}
	}
	return nil
}

// Add opens an item and puts it into the set.
func (d *Dossier) Add(item evidence.Item) error {
	set := &d.Evidence
	set.Last = max(set.Last, item.Seq)
	var err error
	switch item.Kind {
	case evidence.KindReading:
		err = collect(d, item, &set.Readings)
	case evidence.KindCheck:
		err = collect(d, item, &set.Checks)
	case evidence.KindCode:
		err = collect(d, item, &set.Codes)
	case evidence.KindAnswer:
		err = collect(d, item, &set.Answers)
	case evidence.KindImage:
		err = take(d, item, &set.Images)
	case evidence.KindRecording:
		err = take(d, item, &set.Recordings)
	default:
		err = fmt.Errorf("evidence of the unknown kind %s", item.Kind)
	}
	return err
}

func collect[T any](d *Dossier, item evidence.Item, into *[]T) error {
	v, err := vault.Open[T](d.Key, OfItem(item), d.ID, item.Sealed)
	if err == nil {
		*into = append(*into, v)
	}
	return err
}

func take[T any](d *Dossier, item evidence.Item, into *[]evidence.Taken[T]) error {
	v, err := vault.Open[T](d.Key, OfItem(item), d.ID, item.Sealed)
	if err == nil {
		*into = append(*into, evidence.Taken[T]{What: v, Item: item})
	}
	return err
}

func (r *Reader) openJudgements(ctx context.Context, d *Dossier) error {
	all, err := r.store.Judgements(ctx, d.ID, d.Attempt.Number)
	if err != nil {
		return err
	}
	for _, j := range all {
		switch j.Kind {
		case evidence.IsVerdict:
			v, err := vault.Open[evidence.Verdict](d.Key, OfAttempt(Verdict, j.Attempt), d.ID, j.Sealed)
			if err != nil {
				return err
			}
			d.Verdict = &v
		case evidence.IsReview:
			v, err := vault.Open[evidence.Review](d.Key, OfAttempt(Review, j.Attempt), d.ID, j.Sealed)
			if err != nil {
				return err
			}
			d.Review = &v
		}
	}
	return nil
}

// Folder is where all files of an identification lie.
func Folder(c company.ID, id ident.ID) string { return string(c) + "/" + string(id) }

// KeyFolder is where those of its files lie that are sealed under one key. One that is
// canceled and opened again has a new key, and nothing to do with its earlier files.
func KeyFolder(i ident.Identification) string {
	return Folder(i.Company, i.ID) + "/" + i.KeyID
}

// AboutFile binds a sealed file to its name.
func AboutFile(name string) []byte { return []byte("file\x00" + name) }

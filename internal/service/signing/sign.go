package signing

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"slices"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/person"
	"vidimus/internal/service/account"
	"vidimus/internal/service/dossier"
	"vidimus/internal/service/vault"
)

// Subject is whom a certificate names.
type Subject struct {
	GivenName, Surname string
	CommonName         string
	Country            string // ISO 3166-1 alpha-2; empty: not said
}

// Session is a key with a certificate, made for one signing. Close destroys the key.
type Session interface {
	// Chain is DER, the session's own certificate first.
	Chain() [][]byte
	Sign(ctx context.Context, digest []byte) ([]byte, error)
	Timestamp(ctx context.Context, digest []byte) ([]byte, error)
	Validation(ctx context.Context) (Validation, error)
	Close()
}

// Validation is what proves the signatures of a session later on, in DER.
type Validation struct{ Certificates, OCSPs, CRLs [][]byte }

// Trust issues certificates: the built-in authority, or a trust service provider.
type Trust interface {
	// Begin makes a key and a certificate for a person whose identity was verified.
	Begin(ctx context.Context, s Subject) (Session, error)
	// Seal makes them for the installation itself.
	Seal(ctx context.Context) (Session, error)
}

// Order says how a PDF is signed.
type Order struct {
	Level    company.Level
	At       time.Time
	Name     string // of the signer
	Reason   string
	Places   []Place // the first is the signature's own field
	Language string  // of what is written into seals: de or en
}

// Place is where and how a signature is shown.
type Place struct {
	esign.Spot
	Type      esign.SignatureType
	FontSize  float64
	FontSize2 float64       // zero: the size of the first line
	Image     company.Image // zero: the built-in seal
	Hand      []esign.Stroke
}

// Pen signs PDF files.
type Pen interface {
	Sign(ctx context.Context, content []byte, o Order, s Session) ([]byte, error)
}

// Record is what the record of a signing tells.
type Record struct {
	Company       string
	Language      string // of the headings: de or en
	Number        ident.TransactionNumber
	ID            ident.ID
	Signer        string
	Method        string // how the signer was identified, and over which channel
	Certificate   []byte // DER, of the signer
	Level         company.Level
	IdentifiedAt  time.Time
	ReviewedAt    time.Time
	CodeTo        string // masked; empty: no code
	CodeSentAt    time.Time
	CodeEnteredAt time.Time
	SignedAt      time.Time
	Documents     []RecordedDocument
}

// RecordedDocument is one document that was signed.
type RecordedDocument struct {
	Name, Version, File string
	Before, After       string // SHA-256, lower-case hex
}

// Recorder writes the record of a signing as a PDF.
type Recorder interface {
	Record(w io.Writer, r Record) error
}

// Any says whether there are documents to sign.
func (s *Service) Any(ctx context.Context, i ident.Identification) (bool, error) {
	all, err := s.openAll(ctx, i)
	return slices.ContainsFunc(all, func(o opened) bool { return o.ToSign() || o.Missing() }), err
}

// Hashes returns the SHA-256 of each document that will be signed, in lower-case hex and in
// their order: what an ident code is sent for.
func (s *Service) Hashes(ctx context.Context, i ident.Identification) ([]string, error) {
	all, err := s.openAll(ctx, i)
	return hashes(all), err
}

func hashes(all []opened) (list []string) {
	for _, d := range all {
		if d.ToSign() {
			list = append(list, d.File.Hex())
		}
	}
	return list
}

// Draw keeps what the user wrote for the documents that are signed by hand. fault.Invalid for
// what is no handwriting, fault.Precondition when no attempt is in process.
func (s *Service) Draw(ctx context.Context, i ident.Identification, hand []esign.Stroke) error {
	if err := esign.CheckHand(hand); err != nil {
		return err
	}
	return s.retry(func() error {
		all, err := s.openAll(ctx, i)
		if err != nil {
			return err
		}
		now := s.Clock.Now()
		return s.Store.InTx(ctx, func(ctx context.Context) error {
			held, err := s.Store.HoldIdentification(ctx, i.Company, i.ID)
			if err != nil {
				return err
			}
			if held.State != ident.InProcess || held.KeyID != i.KeyID || held.Attempts != i.Attempts {
				return fault.New(fault.Precondition, "no attempt is in process")
			}
			for _, d := range all {
				if !d.ToSign() || !d.Handwritten() {
					continue
				}
				after := d.Document
				after.Hand, after.HandIn = hand, i.Attempts
				if err := s.write(ctx, d, after, now); err != nil {
					return err
				}
				if err := s.audit(ctx, i.Company, i.ID, now, "user", "signature.written", d.row.Identifier); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// write puts a document into the place of what was opened.
func (s *Service) write(ctx context.Context, d opened, after esign.Document, now time.Time) error {
	sealed, err := vault.Seal(d.key, about(d.row.Identifier), d.row.Identification, after)
	if err != nil {
		return err
	}
	row := d.row
	row.Sealed, row.ChangedAt = sealed, now
	return s.Store.PutDocument(ctx, row)
}

// Signed is what came of signing, until the transaction that makes it known has written it.
type Signed struct {
	Files []dossier.SignedFile
	at    time.Time
	list  []result
}

// result is one document before and after.
type result struct {
	before opened
	after  esign.Document
}

// Sign signs the documents of an identification whose review found that it succeeded: nobody
// signs whose identity is not verified by two people. d is the identification as it will be.
// The files lie in its folder already; nothing refers to them before Write. The zero Signed:
// there is nothing to sign. fault.Precondition where the account asks for the ident code and
// it was not entered for exactly these documents, and where the user has not written.
func (s *Service) Sign(ctx context.Context, a *account.Account, d *dossier.Dossier) (Signed, error) {
	all, err := s.openAll(ctx, d.Identification)
	if err != nil {
		return Signed{}, err
	}
	todo := slices.DeleteFunc(all, func(o opened) bool { return !o.ToSign() })
	if len(todo) == 0 {
		return Signed{}, nil
	}
	code, err := confirmed(a, d, hashes(todo))
	if err != nil {
		return Signed{}, err
	}
	subject, err := verified(d)
	if err != nil {
		return Signed{}, err
	}
	session, err := s.Trust.Begin(ctx, subject)
	if err != nil {
		return Signed{}, fmt.Errorf("fetching a certificate: %w", err)
	}
	defer session.Close()
	out := Signed{at: s.Clock.Now()}
	if err := s.signAll(ctx, a, d, todo, subject, code, session, &out); err != nil {
		s.Drop(ctx, out)
		return Signed{}, err
	}
	return out, nil
}

// signAll signs the documents and writes the record. Out holds what it has stored, after an
// error too.
func (s *Service) signAll(ctx context.Context, a *account.Account, d *dossier.Dossier, todo []opened, subject Subject, code evidence.Code, session Session, out *Signed) error {
	record := Record{
		Company: a.Name, Language: languageOf(a), Number: d.Number, ID: d.ID, Signer: subject.CommonName, Method: string(d.Attempt.Method) + ", " + string(d.Channel),
		Certificate: session.Chain()[0], Level: a.ESign.SignatureLevel(), IdentifiedAt: d.FinishedAt, SignedAt: out.at, CodeTo: code.To, CodeSentAt: code.SentAt, CodeEnteredAt: code.EnteredAt,
	}
	if d.Review != nil {
		record.ReviewedAt = d.Review.At
	}
	for _, o := range todo {
		file, err := s.signOne(ctx, a, d, o, subject, session, out.at)
		if err != nil {
			return err
		}
		after := o.Document
		after.SignedFile = file
		out.list = append(out.list, result{o, after})
		out.Files = append(out.Files, signedFile(esign.SignedName(o.row.Identifier), file))
		record.Documents = append(record.Documents, RecordedDocument{
			Name: o.Name, Version: o.Version, File: esign.SignedName(o.row.Identifier), Before: o.File.Hex(), After: file.Hex(),
		})
	}
	file, err := s.record(ctx, d, record)
	if err != nil {
		return err
	}
	out.list[0].after.Record = file
	out.Files = append(out.Files, signedFile(esign.RecordName(d.Number), file))
	return nil
}

func signedFile(name string, f esign.File) dossier.SignedFile {
	return dossier.SignedFile{Name: name, Blob: f.Blob, Size: f.Size, CRC32: f.CRC32, Hash: f.Hash}
}

// languageOf is the first of the account's that there are words in.
func languageOf(a *account.Account) string {
	for _, l := range a.Languages {
		if l == "de" || l == "en" {
			return l
		}
	}
	return "en"
}

// confirmed returns the ident code that was entered for these documents. Where the account
// asks for one, there must be one.
func confirmed(a *account.Account, d *dossier.Dossier, hashes []string) (evidence.Code, error) {
	for _, c := range slices.Backward(d.Evidence.Codes) {
		if !c.EnteredAt.IsZero() && slices.Equal(c.Documents, hashes) {
			return c, nil
		}
	}
	if a.ESign.IdentCode {
		return evidence.Code{}, fault.New(fault.Precondition, "The ident code was not entered for these documents")
	}
	return evidence.Code{}, nil
}

// verified returns whom the certificate names: the person as the agent identified and the
// reviewer left them.
func verified(d *dossier.Dossier) (Subject, error) {
	if d.Verdict == nil || d.Review == nil {
		return Subject{}, errors.New("signing before the identity is verified")
	}
	data := d.Verdict.Data
	if d.Review.Decision == evidence.Correct {
		data = d.Review.Data
	}
	s := Subject{GivenName: data.Userdata[person.Firstname], Surname: data.Userdata[person.Lastname], Country: data.Document[person.DocumentCountry]}
	s.CommonName = s.GivenName
	if s.Surname != "" {
		if s.CommonName != "" {
			s.CommonName += " "
		}
		s.CommonName += s.Surname
	}
	if s.CommonName == "" {
		return s, fault.New(fault.Precondition, "The person who signs has no name")
	}
	return s, nil
}

// signOne signs one document and stores what came of it.
func (s *Service) signOne(ctx context.Context, a *account.Account, d *dossier.Dossier, o opened, subject Subject, session Session, at time.Time) (esign.File, error) {
	select { // reviews come at the same time, and each file may be large
	case s.inspections <- struct{}{}:
		defer func() { <-s.inspections }()
	case <-ctx.Done():
		return esign.File{}, ctx.Err()
	}
	content, err := s.bytes(ctx, o.key, o.File)
	if err != nil {
		return esign.File{}, err
	}
	if sum := sha256.Sum256(content); !bytes.Equal(sum[:], o.File.Hash) {
		return esign.File{}, errors.New("a document is not the one that was uploaded")
	}
	began, err := s.Accounts.At(ctx, a.ID, d.CompanyRevision)
	if err != nil {
		return esign.File{}, err
	}
	if o.HandIn != d.Attempts {
		o.Hand = nil // written in an attempt that came to nothing, maybe for another file
	}
	places, err := s.places(ctx, began.ESign, a.ESign, o, content)
	if err != nil {
		return esign.File{}, err
	}
	signed, err := s.Pen.Sign(ctx, content, Order{
		Level: a.ESign.SignatureLevel(), At: at, Name: subject.CommonName, Reason: o.Name, Places: places, Language: languageOf(a),
	}, session)
	if err != nil {
		return esign.File{}, fmt.Errorf("signing document %s: %w", o.row.Identifier, err)
	}
	return s.keep(ctx, o.key, dossier.KeyFolder(d.Identification), signed)
}

// places returns where the signatures of a document stand, the first of its own field first.
// Places may have been checked with the settings of the account at the creation of the
// identification or with later ones: what either allows is placed.
func (s *Service) places(ctx context.Context, began, now company.ESign, o opened, content []byte) ([]Place, error) {
	signatures := o.AllSignatures()
	if len(signatures) == 0 {
		return nil, nil
	}
	spots, err := s.Inspector.Places(ctx, content, signatures)
	if err != nil {
		return nil, named(err, o.row.Identifier)
	}
	rules := esign.RulesOf(began)
	rules.Swiss = rules.Swiss && esign.RulesOf(now).Swiss
	if err := rules.CheckSpots(signatures, spots); err != nil {
		return nil, err
	}
	var list []Place
	for _, signature := range signatures {
		if signature.Type == esign.Handwritten && len(o.Hand) == 0 {
			return nil, fault.New(fault.Precondition, "The user has not signed by hand").In(signature.Name)
		}
		image, err := sealOf(signature, began, now)
		if err != nil {
			return nil, err
		}
		for _, spot := range spots {
			if spot.Signature != signature.Name {
				continue
			}
			list = append(list, Place{
				Spot: spot, Type: signature.Type, FontSize: signature.FontSize, FontSize2: signature.FontSize2, Image: image, Hand: o.Hand,
			})
		}
	}
	return list, nil
}

// sealOf returns the image of a signature: that of the account at the creation, or the one that
// was added since. The zero Image is the built-in seal.
func sealOf(signature esign.Signature, began, now company.ESign) (company.Image, error) {
	if signature.Image == "" || signature.Image == esign.BuiltInSeal {
		return company.Image{}, nil
	}
	for _, settings := range []company.ESign{began, now} {
		if image, ok := settings.Seals[signature.Image]; ok {
			return image, nil
		}
	}
	return company.Image{}, fault.New(fault.Precondition, "The account has no such seal any more").In(signature.Name)
}

// keep stores a file sealed.
func (s *Service) keep(ctx context.Context, key vault.Key, folder string, content []byte) (esign.File, error) {
	sum := sha256.Sum256(content)
	f := esign.File{Blob: folder + "/" + s.NewID(), Size: int64(len(content)), Hash: sum[:], CRC32: crc32.ChecksumIEEE(content)}
	return f, s.Files.Create(ctx, f.Blob, func(w io.Writer) error {
		sealing, err := key.Writer(w, dossier.AboutFile(f.Blob))
		if err != nil {
			return err
		}
		if _, err := sealing.Write(content); err != nil {
			return err
		}
		return sealing.Close()
	})
}

// record writes the record of the signing and has the installation seal it.
func (s *Service) record(ctx context.Context, d *dossier.Dossier, r Record) (esign.File, error) {
	var pdf bytes.Buffer
	if err := s.Recorder.Record(&pdf, r); err != nil {
		return esign.File{}, fmt.Errorf("writing the record of a signing: %w", err)
	}
	session, err := s.Trust.Seal(ctx)
	if err != nil {
		return esign.File{}, fmt.Errorf("fetching a certificate for the seal: %w", err)
	}
	defer session.Close()
	sealed, err := s.Pen.Sign(ctx, pdf.Bytes(), Order{Level: r.Level, At: r.SignedAt, Language: r.Language}, session)
	if err != nil {
		return esign.File{}, fmt.Errorf("sealing the record of a signing: %w", err)
	}
	return s.keep(ctx, d.Key, dossier.KeyFolder(d.Identification), sealed)
}

// Write makes known what was signed, in the transaction that makes the result known.
func (s *Service) Write(ctx context.Context, i ident.Identification, signed Signed) error {
	for _, r := range signed.list {
		if err := s.write(ctx, r.before, r.after, signed.at); err != nil {
			return err
		}
		if err := s.audit(ctx, i.Company, i.ID, signed.at, "user", "document.signed", r.before.row.Identifier); err != nil {
			return err
		}
	}
	return nil
}

// Drop removes files that came to nothing: another writer was first.
func (s *Service) Drop(ctx context.Context, signed Signed) {
	for _, f := range signed.Files {
		if err := s.Files.Delete(context.WithoutCancel(ctx), f.Blob); err != nil {
			// It is sealed, and goes with the identification.
			s.Log.LogAttrs(ctx, slog.LevelWarn, "removing a signed document that came to nothing", slog.Any("error", err))
		}
	}
}

// signedFiles lists what came of signing documents: those of a copy.
func signedFiles(n ident.TransactionNumber, all []esign.Document) (list []dossier.SignedFile) {
	for _, d := range all {
		if !d.SignedFile.IsZero() {
			list = append(list, signedFile(esign.SignedName(d.Definition.Identifier), d.SignedFile))
		}
	}
	for _, d := range all {
		if !d.Record.IsZero() {
			list = append(list, signedFile(esign.RecordName(n), d.Record))
		}
	}
	return list
}

package publish

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strconv"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/question"
	"vidimus/internal/domain/result"
	"vidimus/internal/service/account"
	"vidimus/internal/service/dossier"
	"vidimus/internal/service/vault"
)

// Names of sealed values.
const (
	aboutJSON = "result json"
	aboutXML  = "result xml"
	aboutSig  = "result signature"
)

// archive is how the members of a ZIP, and where each comes from, are stored.
type archive struct {
	Archive result.Archive
	Sources []string // of each member: json, xml, sig, or the name of a file
}

// Sources of members that lie in the result's own row.
const (
	fromJSON = "json"
	fromXML  = "xml"
	fromSig  = "sig"
)

func (a *archive) add(name, source string, content []byte) {
	sum := sha256.Sum256(content)
	a.Archive.Members = append(a.Archive.Members, result.Member{
		Name: name, Size: int64(len(content)), CRC32: crc32.ChecksumIEEE(content), SHA256: hex.EncodeToString(sum[:]),
	})
	a.Sources = append(a.Sources, source)
}

// about binds a part of a result to its event, so that nobody who can write to the database
// can pass an earlier result off as the last one.
func about(what string, id ident.ID, seq int64) []byte {
	return vault.About(what+"/"+strconv.FormatInt(seq, 10), id)
}

func openJSON(key vault.Key, id ident.ID, seq int64, sealed []byte) ([]byte, error) {
	plain, err := key.Open(sealed, about(aboutJSON, id, seq))
	if err != nil {
		return nil, fmt.Errorf("opening a result: %w", err)
	}
	return plain, nil
}

// Render makes the result of an event, before the transaction that it belongs to: d is the
// identification as it will be after it. Result and State of a success, the number of the
// result and the key of its file name are set in d. Files that are written for a
// transaction that fails lie in the identification's folder and go with it.
func (s *Service) Render(ctx context.Context, a *account.Account, d *dossier.Dossier, event company.Event) (result.Stored, error) {
	failed := event == company.Aborted || event == company.Canceled
	seen := *d
	if failed {
		// What failed tells what the company sent, and nothing that was learned since.
		seen.Verdict, seen.Review, seen.Evidence = nil, nil, evidence.Set{}
	}
	in, questions, err := s.input(ctx, a, &seen)
	if err != nil {
		return result.Stored{}, err
	}
	d.ResultSeq++
	stored := result.Stored{Identification: d.ID, Seq: d.ResultSeq, Event: event, CreatedAt: s.clock.Now(), XML: []byte{}, Signature: []byte{}}
	if failed {
		sealJSON(&stored, d.Key, result.BuildFailed(in).JSON())
		return stored, nil
	}
	if in.FileName, d.FileKey, err = s.fileName(ctx, a, d); err != nil {
		return result.Stored{}, err
	}
	built := result.Build(in)
	bare, xml := built.JSON(), result.XML(built)
	sealJSON(&stored, d.Key, bare)
	stored.XML = d.Key.Seal(xml, about(aboutXML, d.ID, stored.Seq))

	all := archive{Archive: result.Archive{Modified: d.FinishedAt.Truncate(time.Second)}}
	number := string(d.Number)
	name := func(key string) string { return result.AttachmentName(number, key, "", "") }
	pdf, err := s.renderPDF(ctx, a, d, built, questions)
	if err != nil {
		return result.Stored{}, err
	}
	pdf.member.Name = name(result.KeyPDF)
	all.Archive.Members, all.Sources = append(all.Archive.Members, pdf.member), append(all.Sources, pdf.file)
	all.add(name(result.KeyJSON), fromJSON, result.WrappedJSON(bare))
	all.add(name(result.KeyXML), fromXML, xml)
	if a.Results.XMLSignature {
		sig, err := s.signer.sign(ctx, xml)
		if err != nil {
			return result.Stored{}, err
		}
		stored.Signature = d.Key.Seal(sig, about(aboutSig, d.ID, stored.Seq))
		all.add(name(result.KeySig), fromSig, sig)
	}
	addMedia(&all, d)
	// Once here, so that no hand-over has to.
	sum, err := (&ZIP{archive: all, stored: stored, key: d.Key, service: s, id: d.ID}).Hash(ctx)
	if err != nil {
		return result.Stored{}, fmt.Errorf("hashing the archive: %w", err)
	}
	all.Archive.SHA256 = hex.EncodeToString(sum)
	text, err := json.Marshal(all)
	if err != nil {
		return result.Stored{}, fmt.Errorf("writing the list of files: %w", err)
	}
	stored.Archive = string(text)
	return stored, nil
}

func sealJSON(r *result.Stored, key vault.Key, bare []byte) {
	sum := sha256.Sum256(bare)
	r.JSON, r.Hash = key.Seal(bare, about(aboutJSON, r.Identification, r.Seq)), sum[:]
}

// addMedia lists the pictures, recordings and signed documents, whose size, CRC and hash were noted when they
// were taken.
func addMedia(all *archive, d *dossier.Dossier) {
	add := func(key, extension string, size int64, crc uint32, item evidence.Item) {
		all.Archive.Members = append(all.Archive.Members, result.Member{
			Name: result.AttachmentName(string(d.Number), key, extension, extension), Size: size, CRC32: crc, SHA256: hex.EncodeToString(item.Hash),
		})
		all.Sources = append(all.Sources, item.Blob)
	}
	for _, i := range d.Evidence.Images {
		add(i.What.Key, result.Settings{ImageFormat: i.What.Format}.ImageExtension(), i.What.Size, i.What.CRC32, i.Item)
	}
	for _, r := range d.Evidence.Recordings {
		add(r.What.Key, r.What.Format, r.What.Size, r.What.CRC32, r.Item)
	}
	for _, f := range d.Signed {
		all.Archive.Members = append(all.Archive.Members, result.Member{Name: f.Name, Size: f.Size, CRC32: f.CRC32, SHA256: hex.EncodeToString(f.Hash)})
		all.Sources = append(all.Sources, f.Blob)
	}
}

// input gathers what a result is a function of. The second value are the questions as the
// agent read them.
func (s *Service) input(ctx context.Context, a *account.Account, d *dossier.Dossier) (result.Input, []Answer, error) {
	in := result.Input{
		Result: d.Result, AgentName: d.Agent, IdentificationTime: d.FinishedAt, Type: d.Channel, TransactionNumber: d.Number,
		CompanyID: string(d.Company), ID: d.ID, Reason: d.Reason, Application: d.Application, Signed: len(d.Signed) > 0,
		Settings: result.Settings{
			Redact: a.Results.Redact, ImageFormat: string(a.Results.ImageFormat), AudioFormat: string(a.Results.AudioFormat),
			XMLSignature: a.Results.XMLSignature, StreetNumberInStreet: a.StreetNumberInStreet,
		},
	}
	if a.Realtime {
		in.PreviousResult = d.Previous
	}
	if d.Verdict != nil {
		in.Identified = d.Verdict.Data
	}
	if d.Review != nil && d.Review.Decision == evidence.Correct {
		in.Reviewed = &d.Review.Data
	}
	for _, i := range d.Evidence.Images {
		in.Attachments = append(in.Attachments, result.Attachment{Key: i.What.Key, Extension: result.Settings{ImageFormat: i.What.Format}.ImageExtension()})
	}
	for _, r := range d.Evidence.Recordings {
		in.Attachments = append(in.Attachments, result.Attachment{Key: r.What.Key, Extension: r.What.Format})
	}
	questions := d.Questions
	if questions == nil {
		began, err := s.accounts.At(ctx, d.Company, d.CompanyRevision)
		if err != nil {
			return in, nil, fmt.Errorf("reading the questions: %w", err)
		}
		questions = began.Questions
	}
	var read []Answer
	for _, q := range questions {
		v := answer(d, q)
		if v.IsZero() {
			continue
		}
		in.Questions = append(in.Questions, result.Answer{Key: q.Key, Value: v})
		read = append(read, Answer{Label: q.Label, Value: v.String()})
	}
	return in, read, nil
}

// answer is what the agent answered, or else what was pre-defined; of a custom image,
// whether there is one, once there is a verdict.
func answer(d *dossier.Dossier, q question.Definition) question.Value {
	if q.Type == question.CustomImage {
		if d.Verdict == nil {
			return question.Value{}
		}
		there := slices.ContainsFunc(d.Evidence.Images, func(i evidence.Taken[evidence.Image]) bool { return i.What.Key == q.Key })
		if there {
			return question.Integer(1)
		}
		return question.Integer(0)
	}
	v := d.Application.Questions[q.Key]
	for _, given := range d.Evidence.Answers {
		if given.Key == q.Key {
			v = given.Value
		}
	}
	return v
}

// FileKey is the keyed hash under which the file name of a ZIP can be looked up; without
// the master key it tells nothing about the name, which may hold what the company sent.
func (s *Service) FileKey(c company.ID, name string) string {
	return hex.EncodeToString(s.master.Hash("result file name", []byte(string(c)+"\x00"+name)))
}

// fileName returns the name of the ZIP, without .zip, and its key. One that leads to another
// identification of the company gets the Ident-ID appended.
func (s *Service) fileName(ctx context.Context, a *account.Account, d *dossier.Dossier) (name, key string, err error) {
	name = a.Results.FileName(func(placeholder string) string {
		switch placeholder {
		case "transactionnumber":
			return string(d.Number)
		case "id":
			return string(d.ID)
		default:
			return d.Application.Get(placeholder)
		}
	})
	taken, err := s.nameTaken(ctx, d.Identification, name)
	if err != nil {
		return "", "", err
	}
	if taken {
		name += "_" + string(d.ID)
	}
	return name, s.FileKey(d.Company, name), nil
}

// nameTaken says whether another identification of the company has a ZIP of that name, or
// has the name as its number or Ident-ID, which are looked for first.
func (s *Service) nameTaken(ctx context.Context, i ident.Identification, name string) (bool, error) {
	taken, err := s.store.FileKeyTaken(ctx, i.Company, s.FileKey(i.Company, name), i.ID)
	if err != nil || taken {
		return taken, err
	}
	if n, err := ident.ParseTransactionNumber(name); err == nil {
		if n.Fold() == i.Number.Fold() {
			return false, nil // its own, which nobody else has
		}
		_, err := s.store.IdentificationByNumber(ctx, i.Company, n)
		if !fault.Is(err, fault.NotFound) {
			return err == nil, err
		}
	}
	if id, ok := ident.ParseID(name); ok && id != i.ID {
		_, err := s.store.IdentificationByID(ctx, i.Company, id)
		if !fault.Is(err, fault.NotFound) {
			return err == nil, err
		}
	}
	return false, nil
}

// written is a file that was stored sealed.
type written struct {
	member result.Member // without a name
	file   string
}

func (s *Service) renderPDF(ctx context.Context, a *account.Account, d *dossier.Dossier, built result.Identification, questions []Answer) (written, error) {
	r := Report{
		Company: a.Name, Language: language(a), Result: built, TrackingID: d.Application.TrackingID, Made: s.clock.Now().Truncate(time.Second),
		RequestedAt: d.Attempt.RequestedAt, TakenAt: d.Attempt.TakenAt, EndedAt: d.FinishedAt, Checks: d.Evidence.Checks, Answers: questions,
	}
	if d.Review != nil {
		r.Reviewer, r.ReviewedAt = d.Review.Reviewer, d.Review.At
	}
	for _, i := range d.Evidence.Images {
		b, err := s.readFile(ctx, d.Key, i.Item.Blob)
		if err != nil {
			return written{}, err
		}
		r.Pictures = append(r.Pictures, Picture{Key: i.What.Key, Format: i.What.Format, Bytes: b, Taken: i.Item.TakenAt})
	}
	for _, rec := range d.Evidence.Recordings {
		name := result.AttachmentName(string(d.Number), rec.What.Key, "", rec.What.Format)
		r.Files = append(r.Files, File{Name: name, Size: rec.What.Size, SHA256: hex.EncodeToString(rec.Item.Hash)})
	}
	var pdf bytes.Buffer
	if err := s.reporter.Report(&pdf, r); err != nil {
		return written{}, fmt.Errorf("writing the PDF: %w", err)
	}
	file := dossier.KeyFolder(d.Identification) + "/result-" + strconv.FormatInt(d.ResultSeq, 10) + "-" + s.newID() + ".pdf"
	if err := s.writeFile(ctx, d.Key, file, pdf.Bytes()); err != nil {
		return written{}, err
	}
	var one archive
	one.add("", file, pdf.Bytes())
	return written{member: one.Archive.Members[0], file: file}, nil
}

// language of the PDF's headings: the first of the account's that there are headings in.
func language(a *account.Account) string {
	for _, l := range a.Languages {
		if l == "de" || l == "en" {
			return l
		}
	}
	return "en"
}

func (s *Service) readFile(ctx context.Context, key vault.Key, name string) (b []byte, err error) {
	r, err := s.openFile(ctx, key, name)
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := r.Close(); err == nil {
			err = cerr
		}
	}()
	return io.ReadAll(r)
}

// openFile opens a sealed file.
func (s *Service) openFile(ctx context.Context, key vault.Key, name string) (io.ReadCloser, error) {
	sealed, err := s.files.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	plain, err := key.Reader(sealed, dossier.AboutFile(name))
	if err != nil {
		_ = sealed.Close() // the first error tells more
		return nil, fmt.Errorf("opening a file: %w", err)
	}
	return struct {
		io.Reader
		io.Closer
	}{plain, sealed}, nil
}

func (s *Service) writeFile(ctx context.Context, key vault.Key, name string, content []byte) error {
	return s.files.Create(ctx, name, func(w io.Writer) error {
		sealed, err := key.Writer(w, dossier.AboutFile(name))
		if err != nil {
			return err
		}
		if _, err := sealed.Write(content); err != nil {
			return err
		}
		return sealed.Close()
	})
}

// Outcome says which result a confirming review gives: SUCCESS, or SUCCESS_DATA_CHANGED
// when any field was changed. d.Result must be SUCCESS.
func (s *Service) Outcome(ctx context.Context, a *account.Account, d *dossier.Dossier) (ident.State, error) {
	in, _, err := s.input(ctx, a, d)
	if err != nil {
		return "", err
	}
	return result.Outcome(in), nil
}

package e2e

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// members compares the names in a ZIP, in any order, and reads each whole, so that its size
// and checksum are proved: members FILE NAME…. All must be stored, not deflated.
func (w *world) members(args []string) error {
	r, err := zip.OpenReader(w.ts.MkAbs(args[0]))
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	var names []string
	for _, f := range r.File {
		names = append(names, f.Name)
		if f.Method != zip.Store || f.CompressedSize64 != f.UncompressedSize64 {
			return fmt.Errorf("%s is not stored", f.Name)
		}
		file, err := f.Open()
		if err != nil {
			return err
		}
		n, err := io.Copy(io.Discard, file)
		if err != nil || n == 0 || uint64(n) != f.UncompressedSize64 {
			return fmt.Errorf("%s holds %d bytes: %w", f.Name, n, err)
		}
	}
	slices.Sort(names)
	want := slices.Sorted(slices.Values(args[1:]))
	if !slices.Equal(names, want) {
		return fmt.Errorf("the members are %q, not %q", names, want)
	}
	return nil
}

// xmlElements are the elements of chapter 13.3 in the printed order; those that it lacks
// follow the tables of 13.1.
var xmlElements = map[string][]string{
	"identification": {"identificationprocess", "customdata", "contactdata", "userdata", "identificationdocument", "attachments", "questions"},
	"identificationprocess": {
		"result", "agentname", "identificationtime", "type", "transactionnumber", "companyid", "id", "filename", "href", "reason",
		"identchanges", "reviewchanges", "previousresult",
	},
	"customdata":             {"custom1", "custom2", "custom3", "custom4", "custom5"},
	"contactdata":            {"email", "mobilephone"},
	"address":                {"street", "streetnumber", "city", "country", "zipcode"},
	"identificationdocument": {"type", "country", "validuntil", "number", "issuedby", "dateissued"},
}

// xmlUser is the printed order within userdata; elements that are not printed may stand
// between them.
var xmlUser = []string{"firstname", "lastname", "birthday", "birthplace", "nationality", "gender", "address"}

// xmlAttachments is the same for attachments.
var xmlAttachments = []string{
	"pdf", "videolog", "idfrontside", "idbackside", "userface", "security1", "security2", "security3", "security_covered",
}

// xmlOrder says whether the elements of a result stand in the order of the specification.
func (w *world) xmlOrder(args []string) error {
	file, err := os.Open(w.ts.MkAbs(args[0]))
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	children := map[string][]string{}
	var at []string
	d := xml.NewDecoder(file)
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if len(at) > 0 {
				parent := at[len(at)-1]
				children[parent] = append(children[parent], t.Name.Local)
			} else if t.Name.Local != "identifications" {
				return fmt.Errorf("the root is %s", t.Name.Local)
			}
			at = append(at, t.Name.Local)
		case xml.EndElement:
			at = at[:len(at)-1]
		}
	}
	for parent, order := range xmlElements {
		last := -1
		for _, c := range children[parent] {
			i := slices.Index(order, c)
			if i < 0 || i <= last {
				return fmt.Errorf("%s stands in %s out of order: %v", c, parent, children[parent])
			}
			last = i
		}
	}
	if err := printedOrder(children["userdata"], xmlUser); err != nil {
		return err
	}
	return printedOrder(children["attachments"], xmlAttachments)
}

func printedOrder(got, order []string) error {
	last := -1
	for _, c := range got {
		i := slices.Index(order, c)
		if i >= 0 && i < last {
			return fmt.Errorf("%s is out of order: %v", c, got)
		}
		last = max(last, i)
	}
	return nil
}

// kind compares the first bytes of files with what they should be: kind WHAT FILE….
func (w *world) kind(args []string) error {
	for _, name := range args[1:] {
		b, err := os.ReadFile(w.ts.MkAbs(name))
		if err != nil {
			return err
		}
		ok := false
		switch s := string(b); args[0] {
		case "pdf":
			ok = strings.HasPrefix(s, "%PDF-") && strings.Contains(s[max(0, len(s)-32):], "%%EOF")
		case "jpg":
			ok = strings.HasPrefix(s, "\xff\xd8\xff") && strings.HasSuffix(s, "\xff\xd9")
		case "png":
			ok = strings.HasPrefix(s, "\x89PNG\r\n\x1a\n")
		case "mp4":
			ok = len(s) > 12 && s[4:8] == "ftyp"
		case "mp3":
			ok = strings.HasPrefix(s, "ID3") || len(s) > 2 && s[0] == 0xff && s[1]&0xe6 == 0xe2
		case "wav":
			ok = len(s) > 44 && s[:4] == "RIFF" && s[8:16] == "WAVEfmt "
		}
		if !ok {
			return fmt.Errorf("%s is no %s: %.16q", path.Base(name), args[0], b)
		}
	}
	return nil
}

// characters says that the text fields of the last answer hold, between them, every printable
// letter, digit and sign of the Latin ranges that upper-casing leaves as it is.
func (w *world) characters([]string) error {
	v, ok := w.find("userdata")
	if !ok {
		return errors.New(w.shown())
	}
	all := strings.Builder{}
	collect(v, &all)
	if d, ok := w.find("identificationdocument"); ok {
		collect(d, &all)
	}
	upper := cases.Upper(language.Und)
	var missing []rune
	for r := rune(0x20); r <= 0x1eff; r++ {
		if r == 0x250 {
			r = 0x1e00 // Latin Extended Additional follows B
		}
		if unicode.IsPrint(r) && upper.String(string(r)) == string(r) && !strings.ContainsRune(all.String(), r) {
			missing = append(missing, r)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%d characters are missing: %q", len(missing), string(missing))
	}
	return nil
}

// collect joins the values that stand under the key "value".
func collect(v any, to *strings.Builder) {
	m, ok := v.(map[string]any)
	if !ok {
		return
	}
	for key, value := range m {
		if s, ok := value.(string); ok && key == "value" {
			to.WriteString(s)
			continue
		}
		collect(value, to)
	}
}

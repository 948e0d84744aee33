// Package companyfile turns a company's YAML file into its settings and its secrets. It
// decides how the file is spelled; which settings are right, domain/company decides. Nothing
// is guessed: unknown keys, keys that stand twice and wrong types are mistakes, and all of
// them are reported at once. Specification: whatever there "can be configured".
package companyfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"vidimus/internal/config/document"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/fault"
)

// Options says what Parse may use.
type Options struct {
	// ReadFile reads a file beside the company's: certificates, seals and the logo are named
	// there. name never holds a path. Nil: there are none.
	ReadFile func(name string) ([]byte, error)
	// Now is when the file is read: certificates must be good then.
	Now time.Time
}

// maxBeside is the largest file that a company's file may name, in bytes.
const maxBeside = 1 << 20

// Load reads the company's file at path and the files beside it that it names. The errors are
// those of Parse, and those of reading the file itself.
func Load(path string) (company.Company, company.Secrets, error) {
	data, err := readBounded(func() (fs.File, error) { return os.Open(path) }, document.MaxSize)
	if err != nil {
		return company.Company{}, company.Secrets{}, fmt.Errorf("reading the company's file: %w", err)
	}
	return Parse(path, data, Options{ReadFile: Beside(path), Now: time.Now()})
}

// Beside returns a function that reads files in the folder of path, and nowhere else: neither
// a name nor a symbolic link leads out of it. It is what Options.ReadFile takes.
func Beside(path string) func(name string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		root, err := os.OpenRoot(filepath.Dir(path))
		if err != nil {
			return nil, err
		}
		defer func() { _ = root.Close() }()
		if info, err := root.Stat(name); err != nil {
			return nil, err
		} else if !info.Mode().IsRegular() {
			return nil, errors.New("not a regular file") // opening a pipe would wait for ever
		}
		return readBounded(func() (fs.File, error) { return root.Open(name) }, maxBeside)
	}
}

// readBounded reads a file whole, but at most one byte more than limit, which is enough to
// see that it is too large.
func readBounded(open func() (fs.File, error), limit int64) ([]byte, error) {
	f, err := open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, limit+1))
}

// Parse reads a company's file. name is what mistakes call it. Whatever it accepts passes
// Company.Check and Secrets.Check. The error is a document.Error with every mistake of the
// file; it holds none of its values.
func Parse(name string, data []byte, opt Options) (company.Company, company.Secrets, error) {
	refuse := func(err error) (company.Company, company.Secrets, error) {
		return company.Company{}, company.Secrets{}, err
	}
	d, err := document.Parse(name, data)
	if err != nil {
		return refuse(err)
	}
	r := &reader{doc: d, opt: opt, company: company.New("", "", "")}
	d.Root().Fields(r.fields())
	r.fillEvents()
	// What has the wrong shape is reported as such; that it is therefore missing is no news.
	for _, f := range append(fault.All(r.company.Check()), fault.All(r.secrets.Check(r.company))...) {
		if !d.Wrong(f.Key) {
			d.Add(f.Key, f.Message)
		}
	}
	if err := d.Err(); err != nil {
		return refuse(err)
	}
	return r.company, r.secrets, nil
}

// reader fills a company from a document.
type reader struct {
	doc     *document.Document
	opt     Options
	company company.Company
	secrets company.Secrets
}

// fillEvents subscribes webhooks whose events the file does not name to all that the account
// can have.
func (r *reader) fillEvents() {
	for i := range r.company.Webhooks {
		if w := &r.company.Webhooks[i]; w.Events == nil {
			for _, e := range company.Events {
				if e != company.Realtime || r.company.Realtime {
					w.Events = append(w.Events, e)
				}
			}
		}
	}
}

// file reads the file beside this one that v names. kind says what it should be.
func (r *reader) file(v document.Value, kind string, limit int) ([]byte, bool) {
	name, ok := v.Text()
	if !ok {
		return nil, false
	}
	expected := fmt.Sprintf("the name of %s beside this file, without a path, is expected", kind)
	if name == "" || len(name) > 255 || name == "." || name == ".." || strings.ContainsAny(name, "/\\:\x00") || r.opt.ReadFile == nil {
		v.Expect(expected)
		return nil, false
	}
	data, err := r.opt.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		v.Expect(expected + "; there is no such file")
	case err != nil:
		v.Expect(expected + "; this one cannot be read")
	case len(data) > limit:
		v.Expect(fmt.Sprintf("a file of at most %d KiB is expected", limit>>10))
	default:
		return bytes.Clone(data), true
	}
	return nil, false
}

// image reads the picture that v names. formats are the types it may have.
func (r *reader) image(v document.Value, formats string, limit int) company.Image {
	data, ok := r.file(v, formats, limit)
	if !ok {
		return company.Image{}
	}
	kind, ok := company.DetectImage(data)
	if !ok {
		v.Expect(formats + " is expected; this one is damaged, too large or not harmless")
		return company.Image{}
	}
	return company.Image{Type: kind, Data: data}
}

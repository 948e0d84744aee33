package find

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/klippa-app/go-pdfium"
	pdfiumerrors "github.com/klippa-app/go-pdfium/errors"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"vidimus/internal/domain/fault"
)

// engine is one sandbox with PDFium in it. One caller at a time uses it; only kill may be
// called by another.
type engine struct {
	cache  wazero.CompilationCache
	pool   pdfium.Pool
	pdfium pdfium.Pdfium
	kill   context.CancelFunc // ends the call that runs, with an error; the engine is then good for nothing
	since  time.Time          // idle since
	files  int                // how many it has read
}

// maxFiles is after how many files a sandbox is replaced: its memory only grows, and the
// library keeps a little of what it was asked for.
const maxFiles = 200

const (
	memoryPages = 256 << 20 / (64 << 10) // what a sandbox may use, in pages of 64 KiB: 256 MiB
	borrowing   = time.Minute            // the pool never lets us wait: it is ours alone
)

// start makes a sandbox. It has no files, no environment and no output.
func start(cacheDir string) (*engine, error) {
	cache := wazero.NewCompilationCache()
	if cacheDir != "" {
		err := os.MkdirAll(cacheDir, 0o700)
		if err == nil {
			cache, err = wazero.NewCompilationCacheWithDir(cacheDir)
		}
		if err != nil {
			return nil, fmt.Errorf("opening the cache of compiled code: %w", err)
		}
	}
	ctx, kill := context.WithCancel(context.Background())
	e := &engine{cache: cache, kill: kill}
	var err error
	e.pool, err = webassembly.Init(webassembly.Config{
		Context: ctx, MaxIdle: 1, MaxTotal: 1, ReuseWorkers: true,
		FSConfig: wazero.NewFSConfig(), Stdout: io.Discard, Stderr: io.Discard, RandomSource: rand.Reader,
		RuntimeConfig: wazero.NewRuntimeConfig().
			WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExceptionHandling).
			WithCompilationCache(cache).WithCloseOnContextDone(true).WithMemoryLimitPages(memoryPages),
	})
	if err != nil {
		e.close()
		return nil, fmt.Errorf("starting PDFium: %w", err)
	}
	if e.pdfium, err = e.pool.GetInstance(borrowing); err != nil {
		e.close()
		return nil, fmt.Errorf("starting PDFium: %w", err)
	}
	return e, nil
}

// close gives the sandbox's memory and code back, whatever state it is in: its errors say
// only that it was broken before.
func (e *engine) close() {
	e.kill()
	if e.pool != nil {
		_ = e.pool.Close()
	}
	_ = e.cache.Close(context.Background())
}

// giveMemoryBack returns to the system what compiling or a hostile file took, which is much
// and is not needed until the next start.
func giveMemoryBack() { debug.FreeOSMemory() }

// discard is close for a sandbox that a file has broken, whose memory has grown to its limit.
func (e *engine) discard() {
	e.close()
	giveMemoryBack()
}

// document is a PDF that is open in a sandbox.
type document struct {
	pdfium pdfium.Pdfium
	ref    references.FPDF_DOCUMENT
	pages  int
	signed bool // somebody has signed in it, or it looks like that
}

const (
	maxPages = 5000    // of a document; each one may have to be read
	maxSide  = 100_000 // of a page, in points: 35 m
)

// open calls work with the document. A file that is none that we take is fault.Invalid with
// the reason.
func (e *engine) open(file []byte, work func(*document) error) (err error) {
	if len(file) == 0 {
		return errNoPDF
	}
	opened, err := e.pdfium.OpenDocument(&requests.OpenDocument{FileReader: bytes.NewReader(file), FileReaderSize: int64(len(file))})
	switch {
	case errors.Is(err, pdfiumerrors.ErrPassword), errors.Is(err, pdfiumerrors.ErrSecurity):
		return errEncrypted
	case errors.Is(err, pdfiumerrors.ErrFormat), errors.Is(err, pdfiumerrors.ErrFile):
		return errNoPDF.Because(err)
	case err != nil:
		return fmt.Errorf("opening: %w", err)
	}
	d := &document{pdfium: e.pdfium, ref: opened.Document, signed: bytes.Contains(file, []byte("/ByteRange"))}
	defer func() {
		if _, bad := e.pdfium.FPDF_CloseDocument(&requests.FPDF_CloseDocument{Document: d.ref}); bad != nil && err == nil {
			err = fmt.Errorf("closing: %w", bad)
		}
	}()
	if err := d.check(); err != nil {
		return err
	}
	return work(d)
}

var errNoPDF = fault.New(fault.Invalid, "The file is no PDF, or a damaged one")

var errEncrypted = fault.New(fault.Invalid, "The PDF is encrypted: it cannot be signed. Please provide it without a password and without restrictions")

// check says whether the document is one that we take: not encrypted, with pages that are
// all there.
func (d *document) check() error {
	security, err := d.pdfium.FPDF_GetSecurityHandlerRevision(&requests.FPDF_GetSecurityHandlerRevision{Document: d.ref})
	if err != nil {
		return fmt.Errorf("asking for encryption: %w", err)
	}
	if security.SecurityHandlerRevision != -1 {
		return errEncrypted
	}
	count, err := d.pdfium.FPDF_GetPageCount(&requests.FPDF_GetPageCount{Document: d.ref})
	if err != nil {
		return fmt.Errorf("counting pages: %w", err)
	}
	if d.pages = count.PageCount; d.pages <= 0 {
		return fault.New(fault.Invalid, "The PDF has no pages")
	}
	if d.pages > maxPages {
		return fault.New(fault.Invalid, "The PDF has more than %d pages", maxPages)
	}
	for i := range d.pages {
		size, err := d.pdfium.FPDF_GetPageSizeByIndex(&requests.FPDF_GetPageSizeByIndex{Document: d.ref, Index: i})
		if trapped(err) {
			return fmt.Errorf("measuring page %d: %w", i+1, err)
		}
		if err != nil || size.Width <= 0 || size.Height <= 0 {
			return fault.New(fault.Invalid, "The PDF is damaged: page %d cannot be read", i+1).Because(err)
		}
		if size.Width > maxSide || size.Height > maxSide {
			return fault.New(fault.Invalid, "The PDF is damaged: page %d is larger than any paper", i+1)
		}
	}
	return nil
}

// Package find opens a PDF that somebody sent and tells whether it can be signed, and where
// in it signatures stand: relative to a page, a form field or a text. Specification, chapters
// 7.1.2.1 to 7.1.2.3.
//
// The file is foreign and is read by PDFium, which runs as WebAssembly in a sandbox: it sees
// no files and no network, its memory is bounded and a call that takes too long is ended, its
// sandbox with it. Everything a company says about a place is meant as the page is displayed;
// what is found is in the page's default user space.
package find

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"vidimus/internal/domain/fault"
)

// Options say how much a Finder may use. The zero value works.
type Options struct {
	// CacheDir is where PDFium lies once it was made machine code, which takes seconds; a
	// start from there takes tenths of one. Whoever can write there runs code in this
	// program: it is made for the owner alone. Empty: it is compiled at each start.
	CacheDir string
	// Instances is how many files are read at once. Default 1.
	Instances int
	// Waiting is how many calls may wait for an instance; more are refused as
	// fault.Unavailable. Default 64.
	Waiting int
	// Timeout bounds the reading of one file; waiting does not count. Default 30 s.
	Timeout time.Duration
	// Idle is after how long an instance that is not used is given back. Default 1 min.
	Idle time.Duration
}

// Finder reads PDFs. It starts a sandbox when it is first needed. It may be used by many.
type Finder struct {
	options Options
	rights  chan struct{} // holds one for each instance that reads
	waiting atomic.Int64

	mu     sync.Mutex
	idle   []*engine // the last one used is the last
	reaper *time.Timer
	closed bool
}

// New returns a Finder; nothing is started.
func New(o Options) *Finder {
	if o.Instances <= 0 {
		o.Instances = 1
	}
	if o.Waiting <= 0 {
		o.Waiting = 64
	}
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Idle <= 0 {
		o.Idle = time.Minute
	}
	return &Finder{options: o, rights: make(chan struct{}, o.Instances)}
}

// Close gives back what is idle; a call that still runs gives its own back when it ends.
// Calls after it are refused.
func (f *Finder) Close() {
	f.mu.Lock()
	idle := f.idle
	f.idle, f.closed = nil, true
	if f.reaper != nil {
		f.reaper.Stop()
	}
	f.mu.Unlock()
	for _, e := range idle {
		e.close()
	}
}

var errClosed = errors.New("finding places: the finder is closed")

// read opens the file in a sandbox and calls work, within the time that a file has. What
// work returns and is no fault costs the sandbox, whose state is then not known.
func (f *Finder) read(ctx context.Context, file []byte, work func(*document) error) error {
	if f.waiting.Add(1) > int64(f.options.Waiting+f.options.Instances) {
		f.waiting.Add(-1)
		return fault.New(fault.Unavailable, "Too many documents are being read")
	}
	defer f.waiting.Add(-1)
	select {
	case f.rights <- struct{}{}:
		defer func() { <-f.rights }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	e, err := f.take()
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeoutCause(ctx, f.options.Timeout, errTooLong)
	defer cancel()
	stop := context.AfterFunc(limited, e.kill)
	err = e.open(file, work)
	if !stop() {
		e.discard()
		if errors.Is(context.Cause(limited), errTooLong) {
			return fault.New(fault.Invalid, "The PDF cannot be used: reading it takes too long").Because(errTooLong)
		}
		return context.Cause(limited)
	}
	if _, known := errors.AsType[*fault.Error](err); err != nil && !known && !isList(err) {
		e.discard()
		return fault.New(fault.Invalid, "The PDF cannot be used: it is damaged, or too complex").Because(err)
	}
	f.giveBack(e)
	return err
}

var errTooLong = errors.New("reading the PDF took longer than it may")

func isList(err error) bool {
	_, is := errors.AsType[fault.List](err)
	return is
}

// take returns the instance that was used last, or starts one.
func (f *Finder) take() (*engine, error) {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return nil, errClosed
	}
	if n := len(f.idle); n > 0 {
		e := f.idle[n-1]
		f.idle = f.idle[:n-1]
		f.mu.Unlock()
		return e, nil
	}
	f.mu.Unlock()
	return start(f.options.CacheDir)
}

// giveBack keeps an instance for the next call, and sees to it that it does not stay for ever.
func (f *Finder) giveBack(e *engine) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e.files++; f.closed || e.files >= maxFiles {
		go e.close()
		return
	}
	e.since = time.Now()
	f.idle = append(f.idle, e)
	if f.reaper == nil {
		f.reaper = time.AfterFunc(f.options.Idle, f.reap)
	}
}

// reap closes what nobody has used for long, and comes again while there is anything.
func (f *Finder) reap() {
	f.mu.Lock()
	var old []*engine
	for len(f.idle) > 0 && time.Since(f.idle[0].since) >= f.options.Idle {
		old = append(old, f.idle[0])
		f.idle = f.idle[1:]
	}
	f.reaper = nil
	if len(f.idle) > 0 && !f.closed {
		f.reaper = time.AfterFunc(f.options.Idle-time.Since(f.idle[0].since), f.reap)
	}
	f.mu.Unlock()
	for _, e := range old {
		e.close()
	}
	if len(old) > 0 {
		giveMemoryBack()
	}
}

// running says how many instances are idle now, for tests.
func (f *Finder) running() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.idle)
}

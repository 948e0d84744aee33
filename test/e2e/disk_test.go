package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// mayMount says whether this process may mount a file system of its own. CI has to.
var mayMount = sync.OnceValues(func() (bool, error) {
	dir, err := os.MkdirTemp("", "vidimus-mount-")
	if err != nil {
		return false, err
	}
	defer func() { _ = os.Remove(dir) }()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		if os.Getenv("CI") == "true" {
			return false, fmt.Errorf("no file system may be mounted here (%w), and CI must not leave this out", err)
		}
		return false, nil
	}
	return true, syscall.Unmount(dir, syscall.MNT_DETACH)
})

// condition is what scripts ask in brackets: [mount].
func condition(name string) (bool, error) {
	if name != "mount" {
		return false, fmt.Errorf("nobody knows whether %q", name)
	}
	return mayMount()
}

// smallDisk makes the data folder a file system of that many MiB: smalldisk MIB.
func (w *world) smallDisk(args []string) error {
	size, err := number(args[0])
	if err != nil {
		return err
	}
	if err := os.MkdirAll(w.data, 0o700); err != nil {
		return err
	}
	if err := syscall.Mount("tmpfs", w.data, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=0700", size)); err != nil {
		return err
	}
	w.ts.Defer(func() { _ = syscall.Unmount(w.data, syscall.MNT_DETACH) }) // also while a server still runs
	return nil
}

func (w *world) filler() string { return filepath.Join(w.data, "filler") }

// fill leaves no byte free on the disk of the data folder.
func (w *world) fill([]string) error {
	f, err := os.Create(w.filler())
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	for block := make([]byte, 1<<20); len(block) > 0; {
		switch _, err := f.Write(block); {
		case errors.Is(err, syscall.ENOSPC):
			block = block[:len(block)/2]
		case err != nil:
			return err
		}
	}
	return nil
}

// empty takes away what fill has written.
func (w *world) empty([]string) error { return os.Remove(w.filler()) }

// pour creates identifications one after the other, as flood does, and leaves the server
// alive. It ends after three refusals: pour N PREFIX [PAUSE].
func (w *world) pour(args []string) error {
	n, err := number(args[0])
	if err != nil {
		return err
	}
	var pause time.Duration
	if len(args) > 2 {
		if pause, err = time.ParseDuration(args[2]); err != nil {
			return err
		}
	}
	if w.crowd.started == nil {
		w.crowd.started = map[string]string{}
	}
	company, token := w.account()
	refused := 0
	for i := 0; i < n && refused < 3; i++ {
		tn := fmt.Sprintf("%s-%03d", args[1], i)
		a, err := w.ask(http.MethodPost, w.ts.Getenv("HOST")+"/api/v1/"+company+"/identifications/"+tn+"/start", jsonHeader(token),
			[]byte(`{"custom1":"one `+tn+`","custom2":"two `+tn+`","email":"`+tn+`@example.com"}`))
		if err != nil {
			return err
		}
		id, ok := find(a.body, "id")
		switch {
		case a.status == http.StatusCreated && ok:
			w.crowd.started[tn] = text(id)
		case a.status >= http.StatusInternalServerError:
			w.crowd.refused = append(w.crowd.refused, tn)
			refused++
		default:
			return fmt.Errorf("%s: %d %s", tn, a.status, a.body)
		}
		time.Sleep(pause)
	}
	w.ts.Logf("%d were refused", refused)
	if refused == 0 && pause == 0 {
		return errors.New("nothing was refused")
	}
	return nil
}

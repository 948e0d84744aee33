package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"vidimus/internal/trust/csc/csctest"
)

// provider is a trust service that signs for the platform.
type provider struct {
	*csctest.Provider

	mu    sync.Mutex
	wrong []string // what it found wrong with requests
}

func (p *provider) complain(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wrong = append(p.wrong, fmt.Sprintf(format, args...))
}

// provide starts a trust service: $CSC is its API's address, $CSC_SECRET and $CSC_PIN the files of what signs
// in there; $CSC_ROOT its root's certificate, in DER. provide broken PATH has that path fail; provide well ends it.
func (w *world) provide(args []string) error {
	if p := w.provider; p != nil {
		p.Gate.Lock()
		defer p.Gate.Unlock()
		switch {
		case len(args) == 2 && args[0] == "broken":
			p.Broken = args[1]
		case len(args) == 1 && args[0] == "well":
			p.Broken = ""
		default:
			return errors.New("usage: provide [broken PATH|well]")
		}
		return nil
	}
	p := &provider{}
	var err error
	if p.Provider, err = csctest.Start(context.Background(), p.complain); err != nil {
		return err
	}
	w.provider = p
	for name, content := range map[string][]byte{"CSC_SECRET": []byte(csctest.ClientSecret), "CSC_PIN": []byte(csctest.PIN), "CSC_ROOT": p.Authority.Root()} {
		file := w.ts.MkAbs(name)
		if err := os.WriteFile(file, content, 0o600); err != nil {
			return err
		}
		w.ts.Setenv(name, file)
	}
	w.ts.Setenv("CSC", p.URL+"/csc/v2")
	return nil
}

// provided says whether the trust service has signed so often, and found nothing wrong:
// provided N.
func (w *world) provided(args []string) error {
	p := w.provider
	p.Gate.Lock()
	defer p.Gate.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := p.Counts["/csc/v2/signatures/signHash"]; len(p.wrong) > 0 || fmt.Sprint(n) != args[0] {
		return fmt.Errorf("it has signed %d times, and found wrong: %q", n, p.wrong)
	}
	return nil
}

package storetest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// errNone says that the machine has no PostgreSQL.
var errNone = errors.New("none is installed")

// noPostgres is the exit status of tools/postgres.sh that means errNone.
const noPostgres = 77

// Server returns the address of the server that tests of this process use, and starts it
// on the first call when VIDIMUS_TEST_POSTGRES names none. It is safe for many goroutines.
var Server = sync.OnceValues(func() (string, error) {
	if address := os.Getenv("VIDIMUS_TEST_POSTGRES"); address != "" {
		return address, nil
	}
	return start()
})

// lifeline is the standard input of the server's keeper. Nobody writes to it: it closes
// when this process ends, whichever way, and then the keeper stops the server. The variable
// keeps it from being collected before.
var lifeline io.WriteCloser

// start runs tools/postgres.sh, which keeps a server until its standard input ends.
func start() (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(filepath.Join(root, "tools", "postgres.sh"), "serve")
	// A group of its own: an interrupt from the keyboard must not reach the keeper, or it
	// would be gone before the tests that still run.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("running tools/postgres.sh: %w", err)
	}
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = in.Close()
		var exit *exec.ExitError
		if errors.As(cmd.Wait(), &exit) && exit.ExitCode() == noPostgres {
			return "", fmt.Errorf("%w: %s", errNone, strings.TrimSpace(complaints.String()))
		}
		return "", fmt.Errorf("tools/postgres.sh: %s", strings.TrimSpace(complaints.String()))
	}
	lifeline = in
	return strings.TrimSpace(address), nil
}

// moduleRoot is the nearest folder above the working directory that holds go.mod; go test
// starts each package's tests in the package's own folder.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if filepath.Dir(dir) == dir {
			return "", errors.New("no go.mod above the working directory")
		}
		dir = filepath.Dir(dir)
	}
}

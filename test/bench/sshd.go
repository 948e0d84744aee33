package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"syscall"
	"time"
)

// sshd is OpenSSH's server, with a configuration, keys and a port of its own, for whoever
// runs the bench. It serves files from a folder.
type sshd struct {
	cmd  *exec.Cmd
	port string
	user string
}

// startSSHD starts it for the holder of a public key. It needs the Debian package
// openssh-server; its service need not run.
func startSSHD(dir, publicKey string) (*sshd, error) {
	const program = "/usr/sbin/sshd"
	if _, err := os.Stat(program); err != nil {
		return nil, errors.New("it takes the Debian package openssh-server")
	}
	me, err := user.Current()
	if err != nil {
		return nil, err
	}
	if os.Getuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil { //nolint:gosec // what sshd demands
			return nil, err
		}
	}
	key, allowed, config := filepath.Join(dir, "host"), filepath.Join(dir, "allowed"), filepath.Join(dir, "sshd_config")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil { //nolint:gosec // a file of ours
		return nil, fmt.Errorf("making a host key: %w: %s", err, out)
	}
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf(`ListenAddress 127.0.0.1
Port %s
HostKey %s
AuthorizedKeysFile %s
PidFile none
StrictModes no
UsePAM no
UseDNS no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
MaxStartups 1000
LogLevel ERROR
Subsystem sftp /usr/lib/openssh/sftp-server
`, port, key, allowed)
	if err := errors.Join(os.WriteFile(allowed, []byte(publicKey+"\n"), 0o600), os.WriteFile(config, []byte(text), 0o600)); err != nil {
		return nil, err
	}
	cmd := exec.Command(program, "-D", "-e", "-f", config) //nolint:gosec // the server that is measured beside ours
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &sshd{cmd: cmd, port: port, user: me.Username}
	for began := time.Now(); time.Since(began) < 5*time.Second; time.Sleep(5 * time.Millisecond) {
		if c, err := net.Dial("tcp", addr); err == nil {
			return s, c.Close()
		}
	}
	return nil, errors.Join(errors.New("sshd does not listen"), s.stop())
}

func (s *sshd) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	_ = s.cmd.Wait() // by the signal
	return nil
}

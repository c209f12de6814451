"""What a test has for itself and gives back: started by `with`, and closed at its end, also where it did not start."""


class Private:
    def start(self):
        raise NotImplementedError

    def close(self):
        raise NotImplementedError

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *problem):
        self.close()

/* A library that has nothing of what is looked for in it. */
int empty_module(void);
int empty_module(void)
{
    return 0;
}

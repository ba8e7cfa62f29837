/** A program that embeds Yangtuo. */
module consumer {
    requires dev.yangtuo;
}
